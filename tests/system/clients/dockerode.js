// What the users of dockerode do, by name: node dockerode.js NAME [ARGUMENT]...
// The server is the one in DOCKER_HOST.

const assert = require("node:assert/strict");
const { Writable, PassThrough } = require("node:stream");
const { buffer, text } = require("node:stream/consumers");
const Docker = require("dockerode");
const tar = require("tar-fs");

const STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"];
const docker = new Docker();

const once = (stream, event) => new Promise((resolve) => stream.once(event, resolve));
const progress = (stream) =>
  new Promise((resolve, reject) =>
    docker.modem.followProgress(stream, (error, told) => (error ? reject(error) : resolve(told))),
  );

// A stream that keeps what is written to it, as text.
function kept() {
  const stream = new Writable({
    write(chunk, encoding, done) {
      stream.text += chunk;
      done();
    },
  });
  stream.text = "";
  return stream;
}

async function still(options = {}) {
  const container = await docker.createContainer({ Image: "busybox", Cmd: STILL, ...options });
  await container.start();
  return container;
}

// Two streams out of one that carries both, until its end.
async function demuxed(stream) {
  const [out, err] = [kept(), kept()];
  docker.modem.demuxStream(stream, out, err);
  await once(stream, "end");
  return [out.text, err.text];
}

const scenarios = {
  async version() {
    assert.equal((await docker.ping()).toString(), "OK");
    const { ApiVersion } = await docker.version();
    assert.equal((await docker.info()).OSType, "linux");
    const versioned = new Docker({ version: `v${ApiVersion}` });
    assert.deepEqual(await versioned.listContainers(), []);
  },

  async run() {
    const [out, err] = [kept(), kept()];
    const command = ["sh", "-c", "echo out; echo err >&2; exit 3"];
    const [result, container] = await docker.run("busybox", command, [out, err], { Tty: false });
    assert.equal(result.StatusCode, 3);
    assert.deepEqual([out.text, err.text], ["out\n", "err\n"]);
    await container.remove();
    assert.deepEqual(await docker.listContainers({ all: true }), []);
    const [ended] = await docker.run("busybox", ["test", "-t", "1"], kept());
    assert.equal(ended.StatusCode, 0);
  },

  async life() {
    const container = await still({ name: "web", Labels: { tier: "front" } });
    for (const [step, status] of [["pause", "paused"], ["unpause", "running"], ["restart", "running"]]) {
      await container[step]();
      assert.equal((await container.inspect()).State.Status, status);
    }
    await container.rename({ name: "shop" });
    await container.update({ Memory: 32 << 20, MemorySwap: 64 << 20 });
    assert.equal((await docker.getContainer("shop").inspect()).HostConfig.Memory, 32 << 20);
    const [row] = await docker.listContainers({ filters: { label: ["tier=front"] } });
    assert.deepEqual(row.Names, ["/shop"]);
    assert.ok((await container.top()).Processes.length);
    await container.kill({ signal: "SIGTERM" });
    assert.equal((await container.wait()).StatusCode, 0);
    await container.start();
    await container.stop({ t: 1 });
    await assert.rejects(container.stop(), { statusCode: 304 });
    await container.remove();
  },

  async logs() {
    const ended = await docker.createContainer({
      Image: "busybox",
      Cmd: ["sh", "-c", "echo out; echo err >&2"],
    });
    await ended.start();
    await ended.wait();
    assert.match((await ended.logs({ stdout: true })).toString(), /out\n$/);
    const stream = await ended.logs({ stdout: true, stderr: true, follow: true });
    assert.deepEqual(await demuxed(stream), ["out\n", "err\n"]);
    const ticking = await still({ Cmd: ["sh", "-c", "while true; do echo tick; sleep 0.1; done"] });
    const following = await ticking.logs({ stdout: true, follow: true });
    const lines = new PassThrough();
    docker.modem.demuxStream(following, lines, lines);
    assert.match((await once(lines, "data")).toString(), /^tick\n/);
    following.destroy();
  },

  async attach() {
    const container = await docker.createContainer({
      Image: "busybox",
      Cmd: ["cat"],
      OpenStdin: true,
      StdinOnce: true,
    });
    const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true });
    await container.start();
    const told = demuxed(stream);
    stream.write("hello\n");
    stream.end();
    assert.deepEqual(await told, ["hello\n", ""]);
    assert.equal((await container.wait()).StatusCode, 0);
  },

  async exec() {
    const container = await still();
    const execution = await container.exec({
      Cmd: ["sh", "-c", "cat; echo err >&2; exit 3"],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await execution.start({ hijack: true, stdin: true });
    const told = demuxed(stream);
    stream.write("in\n");
    stream.end();
    assert.deepEqual(await told, ["in\n", "err\n"]);
    assert.equal((await execution.inspect()).ExitCode, 3);
    const plain = await container.exec({ Cmd: ["echo", "hello"], AttachStdout: true });
    assert.deepEqual(await demuxed(await plain.start({})), ["hello\n", ""]);
  },

  async stats() {
    const container = await still({ name: "web" });
    assert.equal((await container.stats({ stream: false })).name, "/web");
    const stream = await container.stats({ stream: true });
    assert.equal(JSON.parse(await once(stream, "data")).name, "/web");
    stream.destroy();
  },

  async events() {
    const stream = await docker.getEvents({ filters: { label: ["watched=1"], event: ["start"] } });
    const seen = once(stream, "data");
    await still();
    await still({ name: "seen", Labels: { watched: "1" } });
    const event = JSON.parse(await seen);
    assert.deepEqual([event.Action, event.Actor.Attributes.name], ["start", "seen"]);
    stream.destroy();
  },

  async archives(folder) {
    const container = await still();
    await container.putArchive(tar.pack(folder, { entries: ["data"] }), { path: "/tmp" });
    const archive = await buffer(await container.getArchive({ path: "/tmp/data" }));
    assert.ok(archive.includes("what it says"));
    const info = await container.infoArchive({ path: "/tmp/data" });
    const header = info.headers["x-docker-container-path-stat"];
    assert.equal(JSON.parse(Buffer.from(header, "base64")).name, "data");
  },

  async errors() {
    await assert.rejects(docker.getContainer("nobody").inspect(), (error) => {
      assert.equal(error.statusCode, 404);
      assert.equal(error.json.message, "No such container: nobody");
      return true;
    });
    const container = await docker.createContainer({ Image: "busybox", name: "web", Cmd: ["nowhere"] });
    await assert.rejects(docker.createContainer({ Image: "busybox", name: "web" }), {
      statusCode: 409,
    });
    await assert.rejects(container.start(), /executable file not found/);
    await assert.rejects(docker.getImage("lab/none").inspect(), /No such image: lab\/none:latest/);
  },

  async images(registry) {
    const [pulled, pushed] = [`${registry}/tool:1`, `${registry}/node`];
    await assert.rejects(docker.createContainer({ Image: pulled }), { statusCode: 404 });
    const told = await progress(await docker.pull(pulled));
    assert.ok(told.some(({ status }) => status?.startsWith("Digest: sha256:")));
    await docker.getImage(pulled).tag({ repo: pushed, tag: "2" });
    const image = docker.getImage(`${pushed}:2`);
    await progress(await image.push({ authconfig: { username: "anyone", password: "secret" } }));
    assert.ok((await image.history()).length);
    const archive = await buffer(await image.get());
    await image.remove();
    await progress(await docker.loadImage(archive));
    assert.ok((await image.inspect()).RepoTags.includes(`${pushed}:2`));
    await assert.rejects(docker.pull(`${registry}/none:1`), { statusCode: 404 });
  },

  async build(folder) {
    for (const version of ["1", "2"]) {
      const context = { context: folder, src: ["Dockerfile", "data"] };
      const t = `lab/built:${version}`;
      const told = await progress(await docker.buildImage(context, { t, version }));
      assert.ok(told.length, `builder ${version}`);
      const out = kept();
      // Not removed by itself: an engine may do that before dockerode has asked to wait.
      const [, container] = await docker.run(t, ["cat", "/data"], out);
      await container.remove();
      assert.match(out.text, /what it says/);
    }
  },

  async networks() {
    const network = await docker.createNetwork({ Name: "backend", Labels: { tier: "back" } });
    const container = await still({ name: "db", HostConfig: { NetworkMode: "backend" } });
    assert.ok((await network.inspect()).Containers[container.id]);
    await network.disconnect({ Container: "db" });
    await network.connect({ Container: "db", EndpointConfig: { Aliases: ["store"] } });
    const found = await docker.listNetworks({ filters: { label: ["tier=back"] } });
    assert.deepEqual(found.map(({ Name }) => Name), ["backend"]);
    await assert.rejects(network.remove(), /has active endpoints/);
    await container.remove({ force: true });
    await network.remove();
    assert.equal((await docker.pruneNetworks()).NetworksDeleted, null);
  },

  async volumes() {
    const volume = await docker.createVolume({ Name: "data" });
    const HostConfig = { Binds: ["data:/data"] };
    await docker.run("busybox", ["touch", "/data/made"], kept(), { HostConfig });
    const out = kept();
    await docker.run("busybox", ["ls", "/data"], out, { HostConfig });
    assert.match(out.text, /made/);
    await assert.rejects(volume.remove(), { statusCode: 409 });
    assert.equal((await docker.pruneContainers()).ContainersDeleted.length, 2);
    await volume.remove();
    assert.deepEqual((await docker.listVolumes()).Volumes, []);
  },
};

const [name, ...rest] = process.argv.slice(2);
scenarios[name](...rest).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
