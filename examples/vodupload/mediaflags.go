package main

import (
	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/upload"
)

// mediaFlags say what a file is, to the media services that a workflow gives it to.
type mediaFlags struct {
	title, description string
	category           flagtype.Number
	tags               flagtype.Texts
	coverURL           flagtype.Text
	userData           string
	noProcess          bool
	watermark          bool
	priority           flagtype.Number
}

func (f *mediaFlags) register(flags *pflag.FlagSet) {
	f.category = flagtype.Number{Max: 1<<31 - 1}
	f.tags = flagtype.Texts{Word: "TAG", Check: func(string) error { return nil }} // the library checks them
	f.coverURL = flagtype.Text{Word: "URL", Check: checkURL}
	f.priority = flagtype.Number{Max: 10}
	flags.StringVar(&f.title, "title", "", "`TITLE` of the media, for a workflow of MPS")
	flags.StringVar(&f.description, "description", "", "`TEXT` about the media, for a workflow")
	flags.Var(&f.category, "category", "ID of the media's category; 0: none")
	flags.Var(&f.tags, "media-tag", "tag of the media; may be repeated, 16 at most")
	flags.Var(&f.coverURL, "cover-url", "of the media's cover picture")
	flags.StringVar(&f.userData, "user-data", "", "`TEXT` that is handed to workflows as it is")
	flags.BoolVar(&f.noProcess, "no-process", false, "start no workflow")
	flags.BoolVar(&f.watermark, "watermark", false, "have the workflow show its watermark")
	flags.Var(&f.priority, "priority", "of the workflow, 1 to 10; 0: the workflow's own")
}

// info returns what is sent with each file. Nil: nothing.
func (f *mediaFlags) info() *upload.Info {
	i := &upload.Info{
		Title: f.title, Description: f.description, CategoryID: int64(f.category.Value), Tags: f.tags.Values,
		CoverURL: f.coverURL.Value, UserData: f.userData,
		NoProcess: f.noProcess, Watermark: f.watermark, Priority: f.priority.Value,
	}
	if i.Title+i.Description+i.CoverURL+i.UserData == "" && i.CategoryID == 0 && len(i.Tags) == 0 && !i.NoProcess && !i.Watermark && i.Priority == 0 {
		return nil
	}
	return i
}
