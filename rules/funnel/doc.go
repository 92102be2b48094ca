// Package funnel has the statistics of surveys: how many participants began and
// completed one, how many reached and left each of its pages, and for how long they
// stayed there.
//
//	what happened ─► Counts ─► of a page or survey on one day, Encode ─► stored
//	                                     Merge of days ─► Funnel
//
// It counts, and knows nobody: a Counts has neither ids of participants nor answers.
package funnel
