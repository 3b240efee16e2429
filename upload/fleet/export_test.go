package fleet

// BellSubject returns the subject of the message of a job.
func BellSubject(q *Queue, j Job) string { return q.bellSubject(q.name, j.upload()) }
