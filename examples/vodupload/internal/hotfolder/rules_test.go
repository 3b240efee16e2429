package hotfolder

import (
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	rules := Rules{Exclude: []string{"failed", "in/done"}, Trigger: []string{".ready"}}.withDefaults()
	for name, want := range map[string]bool{
		"clip.mov": true, "a/b/clip.mov": true, "tmp/clip.mov": true, "part": true, "clip.part.mov": true, "faileder/x": true,
		"clip.mov.part": false, "clip.MOV.PART": false, "clip.tmp": false, "clip.partial": false, "clip.crdownload": false,
		"clip.filepart": false, ".clip.mov.Xy12": false, "~clip.mov": false, "x.part.minio": false,
		".hidden/clip.mov": false, "upload.tmp/clip.mov": false, ".vodupload/clip.mov": false,
		"failed/clip.mov": false, "in/done/clip.mov": false, "in/done": false, "clip.mov.ready": false, ".ready": false,
	} {
		if got := rules.considers(name); got != want {
			t.Errorf("considers(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestRulesRefuse(t *testing.T) {
	for name, rules := range map[string]Rules{
		"a negative settle":        {Settle: -1},
		"a pattern that is none":   {Temporary: []string{"["}},
		"a trigger without a dot":  {Trigger: []string{"ready"}},
		"a trigger that is a dot":  {Trigger: []string{"."}},
		"a trigger with a folder":  {Trigger: []string{".a/b"}},
		"a trigger that is empty":  {Trigger: []string{""}},
		"a pattern with no ending": {Temporary: []string{"*.tmp", "[a"}},
	} {
		if rules.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := (Rules{}).Validate(); err != nil {
		t.Error(err)
	}
}

// A scene is what happens to one file, at seconds after the first event.
type scene []func(d *Folder)

func at(second float64) time.Time {
	return time.Unix(1_800_000_000, 0).Add(time.Duration(second * float64(time.Second)))
}

func saw(second float64, name string, size int64, mtime float64) func(*Folder) {
	return func(d *Folder) { d.Saw(at(second), name, Identity{Size: size, ModTime: at(mtime), Inode: 7}) }
}

func isClosed(second float64, name string) func(*Folder) {
	return func(d *Folder) { d.Closed(at(second), name) }
}

func isRenamed(second float64, from, name string) func(*Folder) {
	return func(d *Folder) { d.Renamed(at(second), from, name) }
}

func TestFolderTakes(t *testing.T) {
	const name = "clip.mov"
	for _, tt := range []struct {
		title   string
		trigger []string
		scene   scene
		want    bool
	}{
		{"nothing that was seen once", nil, scene{saw(0, name, 5, -1e6)}, false},
		{"nothing that was seen twice in ten seconds", nil, scene{saw(0, name, 5, 0), saw(10, name, 5, 0)}, false},
		{"what stood still for ten seconds in three looks", nil, scene{saw(0, name, 5, 0), saw(5, name, 5, 0), saw(10, name, 5, 0)}, true},
		{"nothing that stood still for less", nil, scene{saw(0, name, 5, 0), saw(1, name, 5, 0), saw(2, name, 5, 0), saw(9.9, name, 5, 0)}, false},
		{"nothing of which the last look is too early", nil, scene{saw(0, name, 5, 0), saw(1, name, 5, 0), saw(2, name, 5, 0), func(d *Folder) { d.Ready(at(60)) }}, false},
		{"no two looks at the same time for two", nil, scene{saw(0, name, 5, 0), saw(10, name, 5, 0), saw(10, name, 5, 0)}, false},
		{"nothing that grows with the time of its original", nil, scene{saw(0, name, 5, -1e6), saw(5, name, 6, -1e6), saw(10, name, 7, -1e6), saw(15, name, 8, -1e6)}, false},
		{"nothing of full size whose time moves", nil, scene{saw(0, name, 5, 0), saw(5, name, 5, 5), saw(10, name, 5, 10)}, false},
		{"nothing that was replaced meanwhile", nil, scene{saw(0, name, 5, 0), saw(5, name, 5, 0), func(d *Folder) { d.Saw(at(10), name, Identity{5, at(0), 8}) }}, false},
		{"nothing that came back meanwhile", nil, scene{saw(0, name, 5, 0), saw(5, name, 5, 0), func(d *Folder) { d.Gone(name) }, saw(10, name, 5, 0)}, false},
		{"an empty file that stood still", nil, scene{saw(0, name, 0, 0), saw(5, name, 0, 0), saw(10, name, 0, 0)}, true},
		{"what was renamed in, at once", nil, scene{saw(0, name, 5, 0), isRenamed(0, "", name)}, true},
		{"what got its name from a temporary one, at once", nil, scene{saw(0, "clip.mov.part", 5, 0), saw(1, name, 5, 0), isRenamed(1, "clip.mov.part", name)}, true},
		{"nothing whose temporary name stood still", nil, scene{saw(0, "clip.mov.part", 5, 0), saw(5, "clip.mov.part", 5, 0), saw(10, "clip.mov.part", 5, 0)}, false},
		{"nothing that grows and is renamed to another good name", nil, scene{saw(0, "a.mov", 5, 0), saw(1, name, 5, 0), isRenamed(1, "a.mov", name)}, false},
		{"what stood still partly under another name", nil, scene{saw(0, "a.mov", 5, 0), saw(5, "a.mov", 5, 0), saw(6, name, 5, 0), isRenamed(6, "a.mov", name), saw(10, name, 5, 0)}, true},
		{"nothing renamed in that was written since", nil, scene{saw(0, name, 5, 0), isRenamed(0, "", name), saw(1, name, 6, 1)}, false},
		{"what its writer closed, after a calm", nil, scene{saw(0, name, 5, 0), isClosed(0, name), saw(2, name, 5, 0)}, true},
		{"nothing in the calm after a close", nil, scene{saw(0, name, 5, 0), isClosed(0, name), saw(1.9, name, 5, 0)}, false},
		{"nothing that was written after a close", nil, scene{saw(0, name, 5, 0), isClosed(0, name), saw(1, name, 6, 1), isClosed(1, name), saw(4, name, 6, 1)}, false},
		{"what was written after a close and then stood still", nil, scene{saw(0, name, 5, 0), isClosed(0, name), saw(1, name, 6, 1), isClosed(1, name), saw(4, name, 6, 1), saw(8, name, 6, 1), saw(11, name, 6, 1)}, true},
		{"nothing empty that was closed", nil, scene{saw(0, name, 0, 0), isClosed(0, name), saw(2, name, 0, 0), saw(4, name, 0, 0)}, false},
		{"what has its sidecar", []string{".ready", ".md5"}, scene{saw(0, name, 5, 0), saw(0, name+".md5", 1, 0)}, true},
		{"what came after its sidecar", []string{".ready"}, scene{saw(0, name+".ready", 1, 0), saw(1, name, 5, 0)}, true},
		{"nothing without its sidecar, however still", []string{".ready"}, scene{saw(0, name, 5, 0), saw(50, name, 5, 0), saw(90, name, 5, 0), isClosed(90, name), saw(99, name, 5, 0)}, false},
		{"nothing whose sidecar is gone", []string{".ready"}, scene{saw(0, name+".ready", 1, 0), saw(1, name, 5, 0), func(d *Folder) { d.Gone(name + ".ready") }}, false},
	} {
		t.Run(tt.title, func(t *testing.T) {
			d := NewFolder(Rules{Trigger: tt.trigger}, func(string, Identity) bool { return false })
			for _, f := range tt.scene {
				f(d)
			}
			ready := d.Ready(at(100))
			if got := len(ready) == 1 && ready[0].Name == name; got != tt.want || len(ready) > 1 {
				t.Errorf("Ready() = %v, want %s: %v", ready, name, tt.want)
			}
		})
	}
}

func TestFolderOffersAgain(t *testing.T) {
	const name = "clip.mov"
	done := map[string]Identity{}
	d := NewFolder(Rules{}, func(name string, id Identity) bool { return done[name].Equal(id) })
	still := func(from float64) {
		for i := range 3 {
			saw(from+5*float64(i), name, 5, 0)(d)
		}
	}
	offered := func(second float64) bool { return len(d.Ready(at(second))) == 1 }

	still(0)
	d.Take(name)
	if offered(10) {
		t.Error("a file at work is offered")
	}
	if pause := d.Failed(at(10), name); pause != firstPause || offered(14) || !offered(15) {
		t.Errorf("after a failure it is not offered after %v", firstPause)
	}
	if _, next := d.Looks(at(12)); !next.Equal(at(15)) {
		t.Errorf("the next look is %v, want one at the end of the pause", next)
	}
	for range 20 {
		d.Take(name)
		if pause := d.Failed(at(20), name); pause > longestPause || pause < firstPause {
			t.Fatalf("pause %v", pause)
		}
	}
	d.Take(name)
	d.Busy(at(400), name)
	if offered(400) {
		t.Error("a file that has changed is offered at once")
	}
	still(405)
	if !offered(415) {
		t.Error("a file that has changed and stood still is not offered")
	}
	d.Ended(name)
	done[name] = Identity{5, at(0), 7}
	still(500)
	if offered(510) {
		t.Error("a file that is done is offered")
	}
	saw(520, name, 6, 520)(d)
	saw(525, name, 6, 520)(d)
	saw(530, name, 6, 520)(d)
	if !offered(530) {
		t.Error("another file of the name of one that is done is not offered")
	}
	d.Scanned(map[string]bool{}, []string{"other"})
	if watched, _ := d.Waiting(); watched != 0 {
		t.Error("a file that is gone is watched")
	}
}

func TestFilesOfUnreadFoldersStay(t *testing.T) {
	d := NewFolder(Rules{}, func(string, Identity) bool { return false })
	saw(0, "a/x", 1, 0)(d)
	saw(0, "b/x", 1, 0)(d)
	d.Scanned(map[string]bool{}, []string{"a"})
	if watched, _ := d.Waiting(); watched != 1 {
		t.Errorf("%d files are watched, want that of the folder that could not be read", watched)
	}
	d.Scanned(map[string]bool{}, []string{"."})
	if watched, _ := d.Waiting(); watched != 1 {
		t.Error("a folder that could not be read at all has lost its files")
	}
}
