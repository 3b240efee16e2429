package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// An unfinished is an upload of which a checkpoint is here.
type unfinished struct {
	checkpoint.Entry
}

// bytes returns how much of it was acknowledged, at least if the last part is among it.
func (u unfinished) bytes() int64 {
	return min(int64(u.Parts)*u.Record.PartSize, u.Record.Source.Size)
}

// id returns the upload ID, shortened where it is shown to people. Any beginning of it that
// is unique names the upload.
func (u unfinished) id() string { return shortID(u.Record.UploadID) }

const shownOfID = 12

func shortID(id string) string { return id[:min(len(id), shownOfID)] }

// fromFile reports whether the upload can be resumed from what its checkpoint says: only
// that of a file with a destination of its own. Others need the program that began them.
func (u unfinished) fromFile() bool {
	k := u.Record.Key
	return filepath.IsAbs(k.Source) && k.Bucket != "" && u.Record.Source.Fingerprint == ""
}

// unfinishedHere returns the uploads whose checkpoints are in the folder, those that were
// last worked on last. Watched folders are none.
func unfinishedHere(ctx context.Context, folder string) ([]unfinished, error) {
	store, err := checkpoint.OpenDir(folder)
	if err != nil {
		return nil, err
	}
	entries, err := store.List(ctx)
	var all []unfinished
	for _, e := range entries {
		if e.Record.UploadID != "" {
			all = append(all, unfinished{e})
		}
	}
	return all, errors.Join(err, store.Close())
}

// choose returns the uploads that the beginnings of IDs name; without any, all.
func choose(all []unfinished, ids []string) ([]unfinished, error) {
	if len(ids) == 0 {
		return all, nil
	}
	var chosen []unfinished
	for _, id := range ids {
		var found []unfinished
		for _, u := range all {
			if id != "" && strings.HasPrefix(u.Record.UploadID, id) {
				found = append(found, u)
			}
		}
		switch {
		case len(found) == 0:
			return nil, usageError{fmt.Errorf("no unfinished upload has the ID %q: see vodupload uploads", id)}
		case len(found) > 1:
			return nil, usageError{fmt.Errorf("%d unfinished uploads have IDs that begin with %q: give more of it", len(found), id)}
		case !slices.ContainsFunc(chosen, func(u unfinished) bool { return u.Record.UploadID == found[0].Record.UploadID }):
			chosen = append(chosen, found[0])
		}
	}
	return chosen, nil
}

// A table is lines of columns, for people. Its first row has the names of the columns.
type table [][]string

// lines returns the rows, each column as wide as its widest cell. Where that is more than
// limit columns of a terminal, the last cells of each row stand on lines of their own; 0: no
// limit.
func (t table) lines(limit int) []string {
	width := t.widths()
	fit, total := 0, 0
	for _, w := range width {
		if total += w; limit > 0 && total > limit {
			break
		}
		total += gap
		fit++
	}
	fit = max(1, fit)
	var all []string
	for n, row := range t {
		var b strings.Builder
		for i, cell := range row[:min(fit, len(row))] {
			b.WriteString(cell + strings.Repeat(" ", width[i]-runewidth.StringWidth(cell)+gap))
		}
		all = append(all, strings.TrimRight(b.String(), " "))
		for i := fit; n > 0 && i < len(row); i++ {
			if text := labeled(t[0][i], row[i]); text != "" {
				all = append(all, "  "+text)
			}
		}
	}
	return all
}

// gap is the room between two columns.
const gap = 2

func (t table) widths() (width []int) {
	for _, row := range t {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], runewidth.StringWidth(cell))
		}
	}
	return width
}

// labeled returns a cell that does not stand below the name of its column.
func labeled(column, cell string) string {
	if column == "" || cell == "" || cell == "-" {
		return strings.TrimPrefix(cell, "-")
	}
	return strings.ToLower(column) + ": " + cell
}

// print writes a table to standard output, which is what the command was asked for.
func (a *app) print(t table) {
	if a.global.json {
		return
	}
	for _, line := range t.lines(columnsOf(a.stdout)) {
		fmt.Fprintln(a.stdout, line)
	}
}

// orText returns text as people may see it, or the other if there is none.
func orText(text, other string) string { return cmp.Or(output.Safe(text), other) }
