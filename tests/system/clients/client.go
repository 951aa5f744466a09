// What users of Docker's own client for Go do, by name: client NAME [ARGUMENT]...
// The server is the one in DOCKER_HOST.
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"github.com/docker/docker/errdefs"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"
)

var (
	ctx, cancel = context.WithTimeout(context.Background(), 90*time.Second)
	docker      = must(client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation()))
	still       = []string{"sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"}
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func equal(got, wanted any) {
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Sprintf("%#v is not %#v", got, wanted))
	}
}

func isTrue(told bool, what string) {
	if !told {
		panic(what)
	}
}

func create(name string, config container.Config, host *container.HostConfig) string {
	if config.Image == "" {
		config.Image = "busybox"
	}
	return must(docker.ContainerCreate(ctx, &config, host, nil, nil, name)).ID
}

func start(name string, config container.Config, host *container.HostConfig) string {
	id := create(name, config, host)
	check(docker.ContainerStart(ctx, id, types.ContainerStartOptions{}))
	return id
}

// run starts a container, and returns its exit status and what it wrote to both streams.
func run(config container.Config, host *container.HostConfig) (int64, string, string) {
	id := create("", config, host)
	ended, failed := docker.ContainerWait(ctx, id, container.WaitConditionNextExit)
	check(docker.ContainerStart(ctx, id, types.ContainerStartOptions{}))
	var status int64
	select {
	case told := <-ended:
		status = told.StatusCode
	case err := <-failed:
		panic(err)
	}
	options := types.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true}
	out, err := demuxed(must(docker.ContainerLogs(ctx, id, options)))
	check(docker.ContainerRemove(ctx, id, types.ContainerRemoveOptions{}))
	return status, out, err
}

func demuxed(stream io.Reader) (string, string) {
	var out, err bytes.Buffer
	must(stdcopy.StdCopy(&out, &err, stream))
	return out.String(), err.String()
}

func read(stream io.ReadCloser) string {
	defer stream.Close()
	return string(must(io.ReadAll(stream)))
}

// archive is a tar of files with these contents.
func archive(files map[string]string) io.Reader {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for name, text := range files {
		check(writer.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		must(io.WriteString(writer, text))
	}
	check(writer.Close())
	return &buffer
}

func args(key, value string) filters.Args { return filters.NewArgs(filters.Arg(key, value)) }

var scenarios = map[string]func(argument string){
	"version": func(string) {
		ping := must(docker.Ping(ctx))
		equal(ping.OSType, "linux")
		told := must(docker.ServerVersion(ctx))
		equal(told.APIVersion, ping.APIVersion)
		equal(must(docker.Info(ctx)).OSType, "linux")
		fixed := must(client.NewClientWithOpts(client.FromEnv, client.WithVersion("1.30")))
		equal(len(must(fixed.ContainerList(ctx, types.ContainerListOptions{All: true}))), 0)
	},

	"run": func(string) {
		script := []string{"sh", "-c", "echo out; echo err >&2; exit 3"}
		status, out, err := run(container.Config{Cmd: script}, nil)
		equal([]any{status, out, err}, []any{int64(3), "out\n", "err\n"})
		equal(len(must(docker.ContainerList(ctx, types.ContainerListOptions{All: true}))), 0)
	},

	"life": func(string) {
		labels := map[string]string{"tier": "front"}
		id := start("web", container.Config{Cmd: still, Labels: labels}, nil)
		check(docker.ContainerPause(ctx, id))
		equal(must(docker.ContainerInspect(ctx, id)).State.Status, "paused")
		check(docker.ContainerUnpause(ctx, id))
		check(docker.ContainerRename(ctx, id, "shop"))
		limits := container.Resources{Memory: 32 << 20, MemorySwap: 64 << 20}
		must(docker.ContainerUpdate(ctx, "shop", container.UpdateConfig{Resources: limits}))
		equal(must(docker.ContainerInspect(ctx, "shop")).HostConfig.Memory, int64(32<<20))
		patience := 5 * time.Second
		check(docker.ContainerRestart(ctx, id, &patience))
		listed := types.ContainerListOptions{Filters: args("label", "tier=front"), Limit: 1}
		equal(must(docker.ContainerList(ctx, listed))[0].Names, []string{"/shop"})
		isTrue(len(must(docker.ContainerTop(ctx, id, nil)).Processes) > 0, "no process in top")
		ended, _ := docker.ContainerWait(ctx, id, container.WaitConditionNotRunning)
		check(docker.ContainerKill(ctx, id, "SIGTERM"))
		equal((<-ended).StatusCode, int64(0))
		gone, _ := docker.ContainerWait(ctx, id, container.WaitConditionRemoved)
		check(docker.ContainerRemove(ctx, id, types.ContainerRemoveOptions{Force: true}))
		<-gone
	},

	"logs": func(string) {
		script := []string{"sh", "-c", "while true; do echo tick; sleep 0.1; done"}
		id := start("", container.Config{Cmd: script}, nil)
		following, leave := context.WithCancel(ctx)
		options := types.ContainerLogsOptions{ShowStdout: true, Follow: true, Tail: "1"}
		stream := must(docker.ContainerLogs(following, id, options))
		frame := make([]byte, 13)
		must(io.ReadFull(stream, frame))
		equal(string(frame[8:]), "tick\n")
		leave()
		_, err := io.ReadAll(stream)
		equal(err, context.Canceled)
	},

	"attach": func(string) {
		config := container.Config{Cmd: []string{"cat"}, OpenStdin: true, StdinOnce: true}
		id := create("", config, nil)
		options := types.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true}
		attached := must(docker.ContainerAttach(ctx, id, options))
		defer attached.Close()
		check(docker.ContainerStart(ctx, id, types.ContainerStartOptions{}))
		must(attached.Conn.Write([]byte("hello\n")))
		check(attached.CloseWrite())
		out, _ := demuxed(attached.Reader)
		equal(out, "hello\n")
	},

	"exec": func(string) {
		id := start("", container.Config{Cmd: still}, nil)
		exec := must(docker.ContainerExecCreate(ctx, id, types.ExecConfig{
			Cmd:         []string{"sh", "-c", "cat; echo err >&2; exit 3"},
			AttachStdin: true, AttachStdout: true, AttachStderr: true,
		}))
		attached := must(docker.ContainerExecAttach(ctx, exec.ID, types.ExecStartCheck{}))
		defer attached.Close()
		must(attached.Conn.Write([]byte("in\n")))
		check(attached.CloseWrite())
		out, err := demuxed(attached.Reader)
		equal([]string{out, err}, []string{"in\n", "err\n"})
		equal(must(docker.ContainerExecInspect(ctx, exec.ID)).ExitCode, 3)
	},

	"stats": func(string) {
		id := start("web", container.Config{Cmd: still}, nil)
		for _, follow := range []bool{false, true} {
			stats := must(docker.ContainerStats(ctx, id, follow))
			var told types.StatsJSON
			check(json.NewDecoder(stats.Body).Decode(&told))
			stats.Body.Close()
			equal(told.Name, "/web")
		}
	},

	"events": func(string) {
		wanted := filters.NewArgs(filters.Arg("label", "watched=1"), filters.Arg("event", "die"))
		messages, failed := docker.Events(ctx, types.EventsOptions{Filters: wanted})
		run(container.Config{Cmd: []string{"true"}}, nil)
		labels := map[string]string{"watched": "1"}
		run(container.Config{Cmd: []string{"sh", "-c", "exit 4"}, Labels: labels}, nil)
		select {
		case message := <-messages:
			equal(message.Actor.Attributes["exitCode"], "4")
		case err := <-failed:
			panic(err)
		}
	},

	"archives": func(string) {
		id := start("", container.Config{Cmd: still}, nil)
		files := archive(map[string]string{"data": "what it says"})
		check(docker.CopyToContainer(ctx, id, "/tmp", files, types.CopyToContainerOptions{}))
		equal(must(docker.ContainerStatPath(ctx, id, "/tmp/data")).Size, int64(12))
		stream, stat, err := docker.CopyFromContainer(ctx, id, "/tmp/data")
		check(err)
		equal(stat.Name, "data")
		reader := tar.NewReader(stream)
		must(reader.Next())
		equal(string(must(io.ReadAll(reader))), "what it says")
		isTrue(len(must(docker.ContainerDiff(ctx, id))) > 0, "no change told")
	},

	"errors": func(string) {
		_, err := docker.ContainerInspect(ctx, "nobody")
		isTrue(client.IsErrNotFound(err), fmt.Sprint(err))
		equal(err.Error(), "Error: No such container: nobody")
		id := create("web", container.Config{Cmd: []string{"nowhere"}}, nil)
		config := container.Config{Image: "busybox"}
		_, err = docker.ContainerCreate(ctx, &config, nil, nil, nil, "web")
		isTrue(errdefs.IsConflict(err), fmt.Sprint(err))
		err = docker.ContainerStart(ctx, id, types.ContainerStartOptions{})
		isTrue(strings.Contains(err.Error(), "executable file not found"), fmt.Sprint(err))
		_, _, err = docker.ImageInspectWithRaw(ctx, "lab/none")
		isTrue(client.IsErrNotFound(err), fmt.Sprint(err))
		config.Image = "lab/none"
		_, err = docker.ContainerCreate(ctx, &config, nil, nil, nil, "")
		isTrue(client.IsErrNotFound(err), fmt.Sprint(err))
		_, err = docker.ContainerList(ctx, types.ContainerListOptions{Filters: args("no", "one")})
		isTrue(errdefs.IsInvalidParameter(err), fmt.Sprint(err))
	},

	"images": func(registry string) {
		pulled, pushed := registry+"/tool:1", registry+"/go:2"
		told := read(must(docker.ImagePull(ctx, pulled, types.ImagePullOptions{})))
		isTrue(strings.Contains(told, "Digest: sha256:"), told)
		check(docker.ImageTag(ctx, pulled, pushed))
		words := must(json.Marshal(types.AuthConfig{Username: "anyone", Password: "secret"}))
		auth := base64.URLEncoding.EncodeToString(words)
		told = read(must(docker.ImagePush(ctx, pushed, types.ImagePushOptions{RegistryAuth: auth})))
		isTrue(strings.Contains(told, "digest: sha256:"), told)
		saved := read(must(docker.ImageSave(ctx, []string{pushed})))
		must(docker.ImageRemove(ctx, pushed, types.ImageRemoveOptions{}))
		told = read(must(docker.ImageLoad(ctx, strings.NewReader(saved), true)).Body)
		isTrue(strings.Contains(told, pushed), told)
		listed := types.ImageListOptions{Filters: args("reference", registry+"/go")}
		equal(must(docker.ImageList(ctx, listed))[0].RepoTags, []string{pushed})
		isTrue(len(must(docker.ImageHistory(ctx, pushed))) > 0, "no history")
		_, err := docker.ImagePull(ctx, registry+"/none:1", types.ImagePullOptions{})
		isTrue(client.IsErrNotFound(err), fmt.Sprint(err))
	},

	"build": func(string) {
		word := "hello"
		dockerfile := "FROM busybox\nARG WORD\nRUN echo $WORD >/word\nCMD [\"cat\", \"/word\"]\n"
		options := types.ImageBuildOptions{
			Tags: []string{"lab/built:go"}, BuildArgs: map[string]*string{"WORD": &word}, Remove: true,
		}
		built := must(docker.ImageBuild(ctx, archive(map[string]string{"Dockerfile": dockerfile}), options))
		told := read(built.Body)
		isTrue(strings.Contains(told, "Successfully tagged lab/built:go"), told)
		_, out, _ := run(container.Config{Image: "lab/built:go"}, nil)
		equal(out, "hello\n")
	},

	"ports": func(string) {
		config := container.Config{
			Cmd: []string{"httpd", "-f", "-p", "80"}, ExposedPorts: nat.PortSet{"80/tcp": {}},
		}
		host := container.HostConfig{PortBindings: nat.PortMap{"80/tcp": {{HostIP: "0.0.0.0"}}}}
		id := start("", config, &host)
		bound := must(docker.ContainerInspect(ctx, id)).NetworkSettings.Ports["80/tcp"]
		isTrue(len(bound) > 0 && bound[0].HostPort != "", fmt.Sprint(bound))
	},

	"networks": func(string) {
		labels := map[string]string{"tier": "back"}
		options := types.NetworkCreate{CheckDuplicate: true, Labels: labels}
		made := must(docker.NetworkCreate(ctx, "backend", options))
		host := container.HostConfig{NetworkMode: "backend"}
		id := start("db", container.Config{Cmd: still}, &host)
		told := must(docker.NetworkInspect(ctx, made.ID, types.NetworkInspectOptions{}))
		equal(told.Containers[id].Name, "db")
		check(docker.NetworkDisconnect(ctx, made.ID, id, false))
		settings := network.EndpointSettings{Aliases: []string{"store"}}
		check(docker.NetworkConnect(ctx, "backend", "db", &settings))
		_, out, err := run(container.Config{Cmd: []string{"ping", "-c", "1", "store"}}, &host)
		isTrue(strings.Contains(out, "1 packets received"), out+err)
		refused := docker.NetworkRemove(ctx, "backend")
		isTrue(strings.Contains(fmt.Sprint(refused), "has active endpoints"), fmt.Sprint(refused))
		check(docker.ContainerRemove(ctx, id, types.ContainerRemoveOptions{Force: true}))
		pruned := must(docker.NetworksPrune(ctx, args("label", "tier=back")))
		equal(pruned.NetworksDeleted, []string{"backend"})
	},

	"volumes": func(string) {
		must(docker.VolumeCreate(ctx, volume.VolumeCreateBody{Name: "data"}))
		host := container.HostConfig{
			Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: "data", Target: "/data"}},
		}
		run(container.Config{Cmd: []string{"touch", "/data/made"}}, &host)
		_, out, _ := run(container.Config{Cmd: []string{"ls", "/data"}}, &host)
		equal(out, "made\n")
		equal(must(docker.VolumeList(ctx, args("name", "data"))).Volumes[0].Name, "data")
		must(docker.DiskUsage(ctx))
		check(docker.VolumeRemove(ctx, "data", false))
		_, err := docker.VolumeInspect(ctx, "data")
		isTrue(client.IsErrNotFound(err), fmt.Sprint(err))
	},
}

func main() {
	defer cancel()
	scenarios[os.Args[1]](append(os.Args, "")[2])
}
