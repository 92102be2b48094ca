// Package admin is the operator's listener, separate from the participants':
// health, metrics, the console, and the API for deliveries, targets, statistics of
// surveys, erasure and backup.
//
//	GET  /, /console/               from loopback, or after a login with the token (package console)
//	GET  /live                      everybody
//	GET  /ready                     everybody
//	GET  /metrics                   everybody
//	GET  /status                    from loopback, or with the token
//	GET  /feed                      from loopback, or with the token
//	GET  /configuration             from loopback, or with the token
//	POST /try                       from loopback, or with the token
//	GET  /targets                   from loopback, or with the token
//	POST /targets/{name}/enable     from loopback, or with the token
//	POST /targets/{name}/disable    from loopback, or with the token
//	POST /targets/{name}/test       from loopback, or with the token
//	GET  /deliveries                from loopback, or with the token
//	GET  /deliveries/{id}           from loopback, or with the token
//	GET  /deliveries/causes         from loopback, or with the token
//	POST /deliveries/redeliver      from loopback, or with the token
//	POST /deliveries/discard        from loopback, or with the token
//	POST /deliveries/retry          from loopback, or with the token
//	GET  /surveys, /surveys.csv     from loopback, or with the token
//	GET  /surveys/{survey}/{instance}, and .csv   from loopback, or with the token
//	POST /forget                    from loopback, or with the token
//	GET  /backup                    from loopback, or with the token
//	GET  /replicas                  from loopback, or with the token
//	POST /replicas/seed             from loopback, or with the token
//
// emitter/schema/openapi.json has it all for machines. Responses are JSON: Status, Configuration, Target, Delivery, DeliveryDetail,
// DeliveryList, CauseList, SurveyList, Funnel, BulkResult and
// sample.Answer; /feed is server-sent events, and /try text. An error is a line of text with a status of 4xx or 503.
//
// Redelivering and discarding go step by step, one commit each: a client repeats
// its request with the BulkResult's After until that is empty.
//
// Where there are several replicas, any of them can be asked: one that follows hands
// what changes something to the leader, over the replicas' Link, and answers for all
// from what each says of itself several times a second (Hello).
//
// Package cli has the commands that use this API.
package admin
