// Package deploy tests what operators deploy sidehook with, each file against
// what will read it: manifests against the types of Kubernetes, alerts and
// dashboard against the metrics of the binary, units, packages and images by
// installing and running them.
//
// It is a module of its own, so that the product needs none of what it requires.
package deploy
