package transfer

import "github.com/vodupload/vodupload/checkpoint"

// huge is a source that nothing can carry.
type huge struct{ inMemory }

func (huge) State() checkpoint.Source { return checkpoint.Source{Size: MaxSize + 1} }
