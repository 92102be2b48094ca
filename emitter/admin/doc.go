// Package admin is the operator's listener, separate from the participants':
// health, metrics, and the API for deliveries, targets, erasure and backup.
//
//	GET  /                          everybody: links to the pages below
//	GET  /live                      everybody
//	GET  /ready                     everybody
//	GET  /metrics                   everybody
//	GET  /targets                   from loopback, or with the token
//	POST /targets/{name}/enable     from loopback, or with the token
//	POST /targets/{name}/disable    from loopback, or with the token
//	GET  /deliveries                from loopback, or with the token
//	GET  /deliveries/{id}           from loopback, or with the token
//	POST /deliveries/redeliver      from loopback, or with the token
//	POST /deliveries/discard        from loopback, or with the token
//	POST /deliveries/retry          from loopback, or with the token
//	POST /forget                    from loopback, or with the token
//	GET  /backup                    from loopback, or with the token
//
// Responses are JSON: Target, Delivery, DeliveryDetail, DeliveryList and
// BulkResult. An error is a line of text with a status of 4xx or 503.
//
// Redelivering and discarding go step by step, one commit each: a client repeats
// its request with the BulkResult's After until that is empty.
//
// Package cli has the commands that use this API.
package admin
