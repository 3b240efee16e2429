package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/vodupload/vodupload/upload/osstest"
)

// verify reads all objects back with Alibaba Cloud's own SDK, compares them with the films,
// and says what the kills have cost.
func (d *director) verify(ctx context.Context) error {
	client, err := oss.New(d.server.URL, osstest.DefaultKey.AccessKeyID, osstest.DefaultKey.AccessKeySecret)
	if err != nil {
		return err
	}
	b, err := client.Bucket(bucket)
	if err != nil {
		return err
	}
	for i := range d.show.films {
		if err := d.compare(ctx, b, film(i)); err != nil {
			return err
		}
	}
	if left := d.server.Uploads(bucket); len(left) > 0 {
		return fmt.Errorf("uploads left unfinished at the server: %d", len(left))
	}
	taken, kept := 0, 0
	for id, info := range d.narrator.films {
		if info.Result == nil || !info.Result.Verified {
			return fmt.Errorf("%s: the server's CRC64 was not compared", id)
		}
		taken += info.Takeovers
		kept += info.Result.ResumedParts
	}
	again := d.server.Count(osstest.OpUploadPart) - d.show.films*d.parts
	fmt.Fprintf(d.out, "verified: %d objects, %d taken over, %d parts kept, %d sent again\n", d.show.films, taken, kept, again)
	return nil
}

func (d *director) compare(ctx context.Context, b *oss.Bucket, name string) error {
	body, err := b.GetObject(name, oss.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	want, err := os.ReadFile(filepath.Join(d.folder(), name))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s: the object differs from the film", name)
	}
	return nil
}
