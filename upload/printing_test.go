package upload_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/dashboard"
	"github.com/vodupload/vodupload/upload/osscallback"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/source"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodserver"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// A maker makes a value of an exported type that holds secrets, as far as the type can.
type maker func(t *testing.T) any

// filled makes a value whose exported fields are set, recursively: those whose names
// are of secrets to secrets.
func filled[T any]() maker {
	return func(*testing.T) any {
		v := reflect.New(reflect.TypeFor[T]()).Elem()
		fillSecrets(v, "", 0)
		return v.Interface()
	}
}

// printable are the exported types of all public packages. A new type needs a row: with
// filled, if its secrets are in its fields, and else with what constructs it.
var printable = map[string]maker{
	"checkpoint.DamagedError": filled[checkpoint.DamagedError](),
	"checkpoint.Dir":          func(t *testing.T) any { return must(checkpoint.OpenDir(t.TempDir())) },
	"checkpoint.Entry":        filled[checkpoint.Entry](),
	"checkpoint.InUseError":   filled[checkpoint.InUseError](),
	"checkpoint.Key":          filled[checkpoint.Key](),
	"checkpoint.Lease": func(t *testing.T) any {
		l := checkpoint.NewLease(time.Hour, time.Now())
		t.Cleanup(func() { _ = l.End() })
		return l
	},
	"checkpoint.Memory": func(*testing.T) any { return checkpoint.NewMemory() },
	"checkpoint.Part":   filled[checkpoint.Part](),
	"checkpoint.Record": filled[checkpoint.Record](),
	"checkpoint.Source": filled[checkpoint.Source](),

	"checkpointtest.LeasedStore": func(*testing.T) any { return checkpointtest.NewLeases().Store("worker") },
	"checkpointtest.Leases":      func(*testing.T) any { return checkpointtest.NewLeases() },
	"checkpointtest.Pair":        filled[checkpointtest.Pair](),

	"sts.AppServerError":    filled[sts.AppServerError](),
	"sts.AssumeRole":        func(*testing.T) any { return must(sts.NewAssumeRole(secretProvider(), secretRole, nil)) },
	"sts.AssumeRoleOptions": filled[sts.AssumeRoleOptions](),
	"sts.Identity":          filled[sts.Identity](),
	"sts.IdentityOptions":   filled[sts.IdentityOptions](),
	"sts.Cache":             secretCache,
	"sts.CacheOptions":      filled[sts.CacheOptions](),
	"sts.Credentials":       filled[sts.Credentials](),
	"sts.DefaultOptions":    filled[sts.DefaultOptions](),
	"sts.DefaultProvider":   func(*testing.T) any { return sts.Default(nil) },
	"sts.ECSRole":           func(*testing.T) any { return must(sts.NewECSRole(nil)) },
	"sts.ECSRoleOptions":    filled[sts.ECSRoleOptions](),
	"sts.EnvProvider":       func(*testing.T) any { return sts.Env() },
	"sts.HTTPOptions":       filled[sts.HTTPOptions](),
	"sts.HTTPProvider": func(*testing.T) any {
		return must(sts.NewHTTP("https://user:"+secretOf("u")+"@host.example/?token="+tokenOf("q"), nil))
	},
	"sts.OIDC": func(t *testing.T) any {
		return must(sts.NewOIDC(&sts.OIDCOptions{RoleARN: secretRole, ProviderARN: "acs:ram::1:oidc-provider/p", TokenFile: tokenFile(t)}))
	},
	"sts.OIDCOptions": filled[sts.OIDCOptions](),
	"sts.Process": func(*testing.T) any {
		return must(sts.NewProcess([]string{"/bin/true", "--secret=" + secretOf("p")}, nil))
	},
	"sts.ProcessOptions": filled[sts.ProcessOptions](),
	"sts.Profile":        secretProfile,
	"sts.ProfileOptions": filled[sts.ProfileOptions](),
	"sts.ProviderFunc":   func(*testing.T) any { return sts.ProviderFunc(secretProvider().Credentials) },
	"sts.RenewError":     filled[sts.RenewError](),
	"sts.URI":            func(*testing.T) any { return must(sts.NewURI("http://127.0.0.1/?token="+tokenOf("q"), nil)) },
	"sts.URIOptions":     filled[sts.URIOptions](),

	"openapi.ACS3Request": filled[openapi.ACS3Request](),
	"openapi.Client": func(*testing.T) any {
		return must(openapi.New("sts.aliyuncs.com", "2015-04-01", secretKeyFunc, nil))
	},
	"openapi.Error":     filled[openapi.Error](),
	"openapi.Key":       filled[openapi.Key](),
	"openapi.KeyFunc":   func(*testing.T) any { return openapi.KeyFunc(secretKeyFunc) },
	"openapi.Options":   filled[openapi.Options](),
	"openapi.Presented": filled[openapi.Presented](),

	"appserver.Config":     filled[appserver.Config](),
	"appserver.FieldError": filled[appserver.FieldError](),
	"appserver.Gate": func(*testing.T) any {
		return must(appserver.NewGate(&appserver.Options{Authenticate: must(appserver.Bearer(map[string]appserver.Identity{secretOf("b"): {Name: "n"}}))}))
	},
	"appserver.Problem": filled[appserver.Problem](),
	"appserver.Handler": func(t *testing.T) any {
		return must(appserver.New(&appserver.Config{
			AccessKeyID: "LTAI5tBk", AccessKeySecret: secretOf("h"), RoleARN: secretRole, PolicyFile: "all_policy.txt",
		}, &appserver.Options{AllowAnyone: true}))
	},
	"appserver.Identity": filled[appserver.Identity](),
	"appserver.Options":  filled[appserver.Options](),

	"ststest.Credential":      filled[ststest.Credential](),
	"ststest.CredentialsURI":  func(t *testing.T) any { return closed(t, ststest.NewCredentialsURI(secretSTS(t))) },
	"ststest.Fault":           filled[ststest.Fault](),
	"ststest.Metadata":        func(t *testing.T) any { return closed(t, ststest.NewMetadata(secretSTS(t), nil)) },
	"ststest.MetadataMode":    filled[ststest.MetadataMode](),
	"ststest.MetadataOptions": filled[ststest.MetadataOptions](),
	"ststest.Options":         filled[ststest.Options](),
	"ststest.Role":            filled[ststest.Role](),
	"ststest.Server":          func(t *testing.T) any { return secretSTS(t) },
	"ststest.Stats":           filled[ststest.Stats](),
	"ststest.User":            filled[ststest.User](),

	"upload.AddDirError":   func(*testing.T) any { return &upload.AddDirError{Path: "p", Err: upload.ErrGroup} },
	"upload.AddDirErrors":  func(*testing.T) any { return upload.AddDirErrors{{Path: "p", Err: upload.ErrGroup}} },
	"upload.AddDirOptions": filled[upload.AddDirOptions](),
	"upload.Group":         func(*testing.T) any { return new(upload.Group) },
	"upload.IfExists":      filled[upload.IfExists](),
	"upload.Authorization": filled[upload.Authorization](),
	"upload.Callback":      filled[upload.Callback](),
	"upload.Callbacks":     filled[upload.Callbacks](),
	"upload.Client":        secretClient,
	"upload.Error":         filled[upload.Error](),
	"upload.Errors":        filled[upload.Errors](),
	"upload.File":          filled[upload.File](),
	"upload.FileID":        filled[upload.FileID](),
	"upload.FileInfo":      filled[upload.FileInfo](),
	"upload.FileState":     filled[upload.FileState](),
	"upload.Info":          filled[upload.Info](),
	"upload.Leftover":      filled[upload.Leftover](),
	"upload.ObjectOptions": filled[upload.ObjectOptions](),
	"upload.Options":       filled[upload.Options](),
	"upload.Result":        filled[upload.Result](),
	"upload.Retry":         filled[upload.Retry](),
	"upload.State":         filled[upload.State](),
	"upload.WaitReason":    filled[upload.WaitReason](),
	"upload.Waiting":       filled[upload.Waiting](),
	"upload.Stats":         filled[upload.Stats](),
	"upload.Timetable":     filled[upload.Timetable](),
	"upload.SweepOptions":  filled[upload.SweepOptions](),
	"upload.StatOptions":   filled[upload.StatOptions](),
	"upload.ObjectInfo":    filled[upload.ObjectInfo](),
	"upload.ListedObject":  filled[upload.ListedObject](),
	"upload.ListOptions":   filled[upload.ListOptions](),
	"upload.UploadAddress": filled[upload.UploadAddress](),

	"upload.Observer": filled[upload.Observer](),
	"upload.Request":  filled[upload.Request](),
	"upload.Outcome":  filled[upload.Outcome](),

	"dashboard.Dashboard":   func(t *testing.T) any { return closed(t, must(dashboard.New(secretClient(t).(*upload.Client), nil))) },
	"dashboard.Fleet":       filled[dashboard.Fleet](),
	"dashboard.FleetCount":  filled[dashboard.FleetCount](),
	"dashboard.FleetJob":    filled[dashboard.FleetJob](),
	"dashboard.FleetWorker": filled[dashboard.FleetWorker](),
	"dashboard.Options":     filled[dashboard.Options](),
	"dashboard.Recorder":    func(*testing.T) any { return dashboard.NewRecorder() },

	"osstest.CORSRule":  filled[osstest.CORSRule](),
	"osstest.ETagForm":  filled[osstest.ETagForm](),
	"osstest.Fault":     func(*testing.T) any { return osstest.Fail(osstest.OpPutObject, 403, "AccessDenied") },
	"osstest.FaultKind": filled[osstest.FaultKind](),
	"osstest.Key":       filled[osstest.Key](),
	"osstest.Object":    filled[osstest.Object](),
	"osstest.Op":        filled[osstest.Op](),
	"osstest.Options":   filled[osstest.Options](),
	"osstest.Part":      filled[osstest.Part](),
	"osstest.Request":   secretRequest,
	"osstest.Server":    func(t *testing.T) any { return secretOSS(t) },
	"osstest.Upload":    filled[osstest.Upload](),

	"osscallback.Event":    filled[osscallback.Event](),
	"osscallback.Image":    filled[osscallback.Image](),
	"osscallback.Options":  func(*testing.T) any { return secretCallbacks },
	"osscallback.Verifier": func(*testing.T) any { return must(osscallback.New(&secretCallbacks)) },

	"vod.AttachedMediaUpload":              filled[vod.AttachedMediaUpload](),
	"vod.Authorizer":                       func(*testing.T) any { return must(vod.NewAuthorizer(secretVOD(), nil)) },
	"vod.AuthorizerOptions":                filled[vod.AuthorizerOptions](),
	"vod.Client":                           func(*testing.T) any { return secretVOD() },
	"vod.ClientOptions":                    filled[vod.ClientOptions](),
	"vod.CreateUploadAttachedMediaRequest": filled[vod.CreateUploadAttachedMediaRequest](),
	"vod.CreateUploadImageRequest":         filled[vod.CreateUploadImageRequest](),
	"vod.CreateUploadVideoRequest":         filled[vod.CreateUploadVideoRequest](),
	"vod.Event":                            func(*testing.T) any { return vod.Event{Detail: &vod.FileUploadComplete{VideoID: "v"}} },
	"vod.FileUploadComplete":               filled[vod.FileUploadComplete](),
	"vod.ImageUploadComplete":              filled[vod.ImageUploadComplete](),
	"vod.AttachedMediaUploadComplete":      filled[vod.AttachedMediaUploadComplete](),
	"vod.StreamTranscodeComplete":          filled[vod.StreamTranscodeComplete](),
	"vod.TranscodeComplete":                filled[vod.TranscodeComplete](),
	"vod.SnapshotComplete":                 filled[vod.SnapshotComplete](),
	"vod.Snapshot":                         filled[vod.Snapshot](),
	"vod.Stream":                           filled[vod.Stream](),
	"vod.Receiver": func(*testing.T) any {
		return must(vod.NewReceiver("https://h/", vod.Secret(secretOf("r")), &secretReceiver))
	},
	"vod.ReceiverOptions": func(*testing.T) any { return secretReceiver },
	"vod.Handover":        func(*testing.T) any { return vod.Handover{VideoID: "v"} }, // its JSON has the secret on purpose; see its own test
	"vod.ImageUpload":     filled[vod.ImageUpload](),
	"vod.Kind":            filled[vod.Kind](),
	"vod.Media":           filled[vod.Media](),
	"vod.Secret":          func(*testing.T) any { return vod.Secret(secretOf("v")) },
	"vod.Ticket":          filled[vod.Ticket](),
	"vod.VideoUpload":     filled[vod.VideoUpload](),

	"source.HTTP":        secretHTTP,
	"source.HTTPOptions": filled[source.HTTPOptions](),

	"vodtest.Fault": filled[vodtest.Fault](),
	"vodtest.Key":   filled[vodtest.Key](),
	"vodtest.Media": filled[vodtest.Media](),
	"vodserver.Handler": func(*testing.T) any {
		return must(vodserver.New(secretVOD(), must(appserver.NewGate(nil)), nil))
	},
	"vodserver.Options": filled[vodserver.Options](),
	"vodserver.Request": filled[vodserver.Request](),

	"vodtest.Notification": filled[vodtest.Notification](),
	"vodtest.Options":      filled[vodtest.Options](),
	"vodtest.Server": func(t *testing.T) any {
		return closed(t, vodtest.NewServer(&vodtest.Options{LookupKey: func(string, string) (vodtest.Key, bool) { return vodtest.Key{}, false }}))
	},
}

const secretRole = "acs:ram::1000000000000001:role/uploader"

func secretProvider() sts.Provider { return sts.Static(markedCredentials()) }

func secretKeyFunc(context.Context) (openapi.Key, error) {
	return openapi.Key{ID: "LTAI5tBk", Secret: secretOf("k")}, nil
}

func secretVOD() *vod.Client { return must(vod.NewClient(secretProvider(), nil)) }

func closed[T interface{ Close() }](t *testing.T, v T) T {
	t.Cleanup(v.Close)
	return v
}

func tokenFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(tokenOf("f")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// secretCache has asked its provider. It is closed, for %w reads its fields without a
// lock, and its goroutine may not have ended yet.
func secretCache(t *testing.T) any {
	c := must(sts.NewCache(secretProvider(), nil))
	_ = must(c.Credentials(t.Context()))
	_ = c.Close()
	return c
}

// secretProfile has read its file.
func secretProfile(t *testing.T) any {
	path := filepath.Join(t.TempDir(), "config.json")
	text := fmt.Sprintf(`{"current":"p","profiles":[{"name":"p","mode":"AK","access_key_id":"LTAI5tBk","access_key_secret":%q}]}`, secretOf("p"))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := must(sts.NewProfile(path, "p", nil))
	_ = must(p.Credentials(t.Context()))
	return p
}

// secretSTS has a user's key, and has issued one of its own.
func secretSTS(t *testing.T) *ststest.Server {
	s := closed(t, ststest.NewServer(&ststest.Options{Users: []ststest.User{{AccessKeyID: "LTAI5tBk", AccessKeySecret: secretOf("s")}}}))
	return s
}

func secretOSS(t *testing.T) *osstest.Server {
	s := closed(t, osstest.NewServer(&osstest.Options{Buckets: []string{bucket}, Keys: []osstest.Key{markedKey}}))
	s.AddKey(osstest.Key{AccessKeyID: "second", AccessKeySecret: secretOf("2")})
	return s
}

// secretHTTP is a source whose URL has a password and a signature.
func secretHTTP(t *testing.T) any {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		http.ServeContent(w, r, "a", time.Time{}, strings.NewReader("text"))
	}))
	t.Cleanup(server.Close)
	url := strings.Replace(server.URL, "://", "://user:"+secretOf("u")+"@", 1) + "/a?sig=" + tokenOf("q")
	return must(source.NewHTTP(t.Context(), url, &source.HTTPOptions{Transport: server.Client().Transport}))
}

// secretRequest is a request that was signed with a token.
func secretRequest(t *testing.T) any {
	s := secretOSS(t)
	c := must(upload.New(&upload.Options{Credentials: secretProvider(), Checkpoints: checkpoint.NewMemory(), Region: "cn-hangzhou"}))
	defer c.Close()
	_ = must(c.Upload(t.Context(), upload.File{Path: "a", Source: upload.NewSource(bytes.NewReader([]byte("x")), 1, "v1"), Endpoint: s.URL, Bucket: bucket, Object: "a"}))
	return s.Requests()[0]
}

// secretClient has credentials of its own, and a file with others.
func secretClient(t *testing.T) any {
	c := must(upload.New(&upload.Options{Credentials: secretProvider(), Checkpoints: checkpoint.NewMemory()}))
	t.Cleanup(func() { _ = c.Close() })
	id := must(c.AddFile(upload.File{Path: "a", Source: upload.NewSource(bytes.NewReader([]byte("x")), 1, "v1"), Endpoint: "http://127.0.0.1:1", Bucket: bucket, Object: "a"}))
	if err := c.Init(markedCredentials()); err != nil {
		t.Fatal(err)
	}
	if err := c.SetToken(id, markedCredentials()); err != nil {
		t.Fatal(err)
	}
	return c
}

// secretField are the names of fields that hold secrets. SecretParams are names of
// parameters, and TokenFile is a path.
var secretField = regexp.MustCompile(`(?i)(secret|token|password|uploadauth)$`)

// fillSecrets sets what is exported in v, which is the value of a field called name.
func fillSecrets(v reflect.Value, name string, depth int) {
	if depth > 5 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		text := "plain"
		if secretField.MatchString(name) {
			text = secretOf("f") + tokenOf("f")
		}
		v.SetString(text)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillSecrets(v.Field(i), v.Type().Field(i).Name, depth+1)
			}
		}
	case reflect.Pointer:
		switch v.Interface().(type) {
		case *http.Client, *slog.Logger:
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fillSecrets(v.Elem(), name, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillSecrets(v.Index(0), name, depth+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillSecrets(key, "", depth+1)
		fillSecrets(value, name, depth+1)
		v.SetMapIndex(key, value)
	case reflect.Interface:
		if v.Type() == reflect.TypeFor[any]() { // of the user
			v.Set(reflect.ValueOf(struct{ Password, Text string }{secretOf("a"), tokenOf("a")}))
		}
		if v.Type() == reflect.TypeFor[sts.Provider]() {
			v.Set(reflect.ValueOf(secretProvider()))
		}
		if v.Type() == reflect.TypeFor[error]() {
			v.Set(reflect.ValueOf(&upload.Error{Op: "upload", Code: "Code", Err: context.Canceled}))
		}
	}
}

// ways returns how a user may come to print v: by itself, by pointer, and in values of
// the user's own.
func ways(v any) map[string]any {
	rv := reflect.ValueOf(v)
	all := map[string]any{"itself": v}
	switch {
	case rv.Kind() == reflect.Pointer && hasLock(rv.Type().Elem()):
		// It must not be copied, which go vet says.
	case rv.Kind() == reflect.Pointer:
		all["what it points to"] = rv.Elem().Interface()
	default:
		p := reflect.New(rv.Type())
		p.Elem().Set(rv)
		all["pointer"] = p.Interface()
	}
	for name, one := range maps.Clone(all) {
		typ := reflect.TypeOf(one)
		slice := reflect.Append(reflect.MakeSlice(reflect.SliceOf(typ), 0, 1), reflect.ValueOf(one))
		all["slice of "+name] = slice.Interface()
		byName := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), typ))
		byName.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf(one))
		all["map of "+name] = byName.Interface()
		field := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "X", Type: typ}})).Elem()
		field.Field(0).Set(reflect.ValueOf(one))
		all["struct with "+name] = field.Interface()
		all["interface in a slice, "+name] = []any{one}
	}
	return all
}

func hasLock(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	if strings.HasPrefix(t.PkgPath(), "sync") {
		return true
	}
	for i := range t.NumField() {
		if hasLock(t.Field(i).Type) {
			return true
		}
	}
	return false
}

// printed returns v in all texts that there are of it.
func printed(v any) map[string]string {
	texts := make(map[string]string)
	for _, verb := range []string{
		"%v", "%+v", "%#v", "%s", "%q", "%#q", "%+q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U", "%e", "%g", "%t", "%10.3s", "%Z",
	} {
		texts[verb] = fmt.Sprintf(verb, v)
	}
	if reflect.TypeOf(v).Kind() == reflect.Pointer && reflect.TypeOf(v).Elem().Kind() == reflect.Struct {
		// Of values, package fmt prints the fields for these two whatever methods there are:
		// %w is for errors, and %p for pointers.
		for _, verb := range []string{"%p", "%w"} {
			if _, isKey := reflect.TypeOf(v).Elem().MethodByName("Format"); !isKey {
				texts[verb] = fmt.Sprintf(verb, v)
			}
		}
	}
	texts["Print"] = fmt.Sprint(v)
	texts["Errorf"] = fmt.Errorf("%v", v).Error()
	b, err := json.Marshal(v)
	texts["JSON"] = fmt.Sprint(string(b), err)
	b, err = xml.Marshal(v)
	texts["XML"] = fmt.Sprint(string(b), err)
	var out bytes.Buffer
	err = gob.NewEncoder(&out).Encode(v)
	texts["gob"] = fmt.Sprint(out.String(), err)
	for name, h := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		var line bytes.Buffer
		slog.New(h(&line)).Info("m", "v", v, slog.Group("g", "v", v))
		texts[name] = line.String()
	}
	return texts
}

// traces are the forms in which a secret may stand in a text.
var traces = func() []string {
	var all []string
	for _, mark := range []string{secretMark, tokenMark} {
		bytes := []byte(mark)
		all = append(all, mark, fmt.Sprintf("%x", mark), fmt.Sprintf("%X", mark), fmt.Sprintf("% x", mark), fmt.Sprintf("% X", mark),
			strings.Trim(fmt.Sprint(bytes), "[]"), strings.Trim(fmt.Sprintf("%#v", bytes), "[]byte{}"),
			strings.Trim(fmt.Sprintf("%o", bytes), "[]"), strings.Trim(fmt.Sprintf("%b", bytes), "[]"),
			strings.Trim(fmt.Sprintf("%U", bytes), "[]"), base64.StdEncoding.EncodeToString(bytes)[:8])
	}
	return all
}()

func TestNothingPrintsASecret(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(printable)) {
		t.Run(name, func(t *testing.T) {
			for way, v := range ways(printable[name](t)) {
				for how, text := range printed(v) {
					for _, trace := range traces {
						if i := strings.Index(text, trace); i >= 0 {
							t.Errorf("%s, %s: …%s…", way, how, text[max(0, i-60):min(len(text), i+20)])
							break
						}
					}
				}
			}
		})
	}
}

var secretReceiver = vod.ReceiverOptions{OldAuthKey: vod.Secret(secretOf("old"))}

var secretCallbacks = osscallback.Options{Secrets: [][]byte{[]byte(secretOf("callback"))}}

// Each exported type of the module that is not an interface has a row above.
func TestEveryExportedTypeIsPrinted(t *testing.T) {
	found := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, other := os.Stat(filepath.Join(path, "go.mod"))
			if path != ".." && (other == nil || d.Name() == "internal" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				typ := spec.(*ast.TypeSpec)
				if _, isInterface := typ.Type.(*ast.InterfaceType); typ.Name.IsExported() && !isInterface && !typ.Assign.IsValid() {
					found[file.Name.Name+"."+typ.Name.Name] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range found {
		if printable[name] == nil {
			t.Errorf("%s is not in printable: give it a row, so that nothing prints its secrets", name)
		}
	}
	for name := range printable {
		if !found[name] {
			t.Errorf("%s is in printable, and is no exported type", name)
		}
	}
}
