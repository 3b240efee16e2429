// Package boltfile reads and makes files of bbolt without bbolt.
//
// bbolt maps its file into memory and believes what it reads there: a damaged page
// makes it panic, fault, or loop for ever, in goroutines of its own, where nothing can
// recover. So no file gets to it that was not read here before, by ordinary reads, with
// every offset checked and every page visited once.
package boltfile
