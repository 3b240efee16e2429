package main

import (
	"context"
	"os"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
)

// runV2 does the job with the Uploader of the v2 SDK.
func runV2(ctx context.Context, j *job) error {
	s := &j.Scenario
	config := oss.LoadDefaultConfig().
		WithRegion(region).
		WithEndpoint(j.Endpoint).
		WithRetryMaxAttempts(1).
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keyID, keySecret))
	uploader := oss.NewUploader(oss.NewClient(config), func(o *oss.UploaderOptions) {
		o.PartSize = s.PartSize
		o.ParallelNum = s.Parallel
		if j.Contender == v2Checkpoint {
			o.EnableCheckpoint = true
			o.CheckpointDir = j.Dir + string(os.PathSeparator) // without it, it takes the parent
		}
	})
	return each(s.Files, s.Parallel, func(i int) error {
		_, err := uploader.UploadFile(ctx, &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(j.object(i))}, j.Path)
		return err
	})
}
