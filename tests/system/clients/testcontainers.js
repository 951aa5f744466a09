// What users of testcontainers for Node.js do, by name: node testcontainers.js NAME [ARGUMENT]...
// The server is the one in DOCKER_HOST; the reaper is switched off by the environment.

const assert = require("node:assert/strict");
const { text } = require("node:stream/consumers");
const { DockerComposeEnvironment, GenericContainer, Network, Wait } = require("testcontainers");

const STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"];
const SERVE = ["httpd", "-f", "-p", "80", "-h", "/etc"];
const busybox = (command = STILL) => new GenericContainer("busybox").withCommand(command);
const read = async (box, host = box.getHost()) =>
  (await fetch(`http://${host}:${box.getMappedPort(80)}/hosts`)).text();

const scenarios = {
  async container() {
    const script = "echo got $A; echo ready >&2; trap exit TERM; while true; do sleep 0.1; done";
    const box = await busybox(["sh", "-c", script])
      .withEnvironment({ A: "1" })
      .withLabels({ tier: "front" })
      .withCopyContentToContainer([{ content: "before", target: "/before" }])
      .withWaitStrategy(Wait.forLogMessage("ready"))
      .start();
    assert.deepEqual(await box.exec(["cat", "/before"]).then(({ output }) => output), "before");
    const failed = await box.exec(["sh", "-c", "echo why >&2; exit 3"]);
    assert.deepEqual([failed.exitCode, failed.output], [3, "why\n"]);
    await box.copyContentToContainer([{ content: "later", target: "/tmp/later" }]);
    assert.match(await text(await box.copyArchiveFromContainer("/tmp/later")), /later/);
    await box.stop();
    await assert.rejects(box.exec(["true"]), /No such container|no such container/);
  },

  async waiting() {
    const box = await busybox(["sh", "-c", `touch /made; ${STILL[2]}`])
      .withHealthCheck({ test: ["CMD", "test", "-e", "/made"], interval: 200, retries: 50 })
      .withWaitStrategy(
        Wait.forAll([Wait.forHealthCheck(), Wait.forSuccessfulCommand("test -e /made")]),
      )
      .start();
    await box.stop();
    const ended = await busybox(["true"]).withWaitStrategy(Wait.forOneShotStartup()).start();
    await ended.stop();
  },

  async failing() {
    const waiting = busybox(["sh", "-c", "echo why; exit 1"])
      .withWaitStrategy(Wait.forLogMessage("ready"))
      .withStartupTimeout(60_000);
    await assert.rejects(waiting.start(), /Log stream ended and message "ready" was not received/);
  },

  async ports(host) {
    const server = busybox(SERVE)
      .withExposedPorts(80)
      .withEnvironment(host ? { "constraint:node": "=new" } : {})
      .withWaitStrategy(Wait.forHttp("/hosts", 80));
    const box = await server.start();
    assert.match(await read(box), /localhost/);
    await box.stop();
  },

  async elsewhere() {
    const box = await busybox(SERVE)
      .withExposedPorts(80)
      .withWaitStrategy(Wait.forSuccessfulCommand("wget -qO- http://127.0.0.1/hosts"))
      .start();
    const { getContainerRuntimeClient } = require("testcontainers");
    const { container } = await getContainerRuntimeClient();
    const { NetworkSettings } = await container.getById(box.getId()).inspect();
    const { HostIp } = NetworkSettings.Ports["80/tcp"][0];
    assert.match(await read(box, HostIp === "0.0.0.0" ? box.getHost() : HostIp), /localhost/);
    console.log(JSON.stringify({ told: box.getHost(), published: HostIp }));
    await box.stop();
  },

  async networks() {
    const network = await new Network().start();
    const server = await busybox(SERVE).withNetwork(network).withNetworkAliases("server").start();
    const client = await busybox().withNetwork(network).start();
    const wget = ["sh", "-c", "until wget -qO- http://server/hosts; do sleep 0.1; done"];
    assert.match((await client.exec(wget)).output, /localhost/);
    await Promise.all([server.stop(), client.stop()]);
    await network.stop();
  },

  async build(folder) {
    const image = await GenericContainer.fromDockerfile(folder)
      .withBuildArgs({ WORD: "hello" })
      .build("lab/built:node", { deleteOnExit: false });
    const box = await image.withWaitStrategy(Wait.forLogMessage("hello")).start();
    await box.stop();
  },

  async pull(registry) {
    const start = () =>
      new GenericContainer(`${registry}/tool:1`).withCommand(STILL).withReuse().start();
    const [first, second] = [await start(), await start()];
    assert.equal(first.getId(), second.getId());
    await first.stop();
  },

  async compose(folder) {
    const project = new DockerComposeEnvironment(folder, "compose.yaml")
      .withProjectName("shop")
      .withWaitStrategy("web-1", Wait.forLogMessage("up"));
    const shop = await project.up();
    assert.equal((await shop.getContainer("web-1").exec(["echo", "hello"])).output, "hello\n");
    await shop.down();
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
