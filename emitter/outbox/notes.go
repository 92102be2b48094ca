package outbox

// Keys in meta of what belongs to a replica and its log, beside keyApplied and keyLost.
var (
	// keyPredecessor is that of the id of the log whose files a snapshot may replace too.
	keyPredecessor = []byte("predecessor")
	// keyErase is that of a mark on a file that must be scrubbed, keyScrubbed that of the
	// number of the last entryScrub: the log may have nothing from before.
	keyErase    = []byte("erase")
	keyScrubbed = []byte("scrubbed")
)
