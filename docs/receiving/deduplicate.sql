CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY, received TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);

BEGIN;
INSERT INTO webhooks (id) VALUES (:id) ON CONFLICT (id) DO NOTHING RETURNING id;
-- A row came back: do here what the webhook is for. None did: it was received before, do nothing.
COMMIT;

DELETE FROM webhooks WHERE received < datetime('now', '-90 days');
