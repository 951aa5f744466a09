# What the users of Ruby's docker-api do, by name: ruby docker_api.rb NAME [ARGUMENT]...
# The server is the one in DOCKER_HOST.

require 'docker'
require 'json'
require 'rubygems/package' # Debian's docker-api leaves that to who reads files out of containers

STILL = ['sh', '-c', 'trap exit TERM; while true; do sleep 0.1; done'].freeze

def equal(got, wanted)
  raise "#{got.inspect} is not #{wanted.inspect}" unless got == wanted
end

def refused(kind, words = //)
  yield
rescue kind => e
  raise "#{e.message} does not say #{words}" unless e.message.match?(words)
else
  raise "no #{kind}"
end

def create(options = {})
  Docker::Container.create({ 'Image' => 'busybox', 'Cmd' => STILL }.merge(options))
end

def still(options = {})
  create(options).start!
end

SCENARIOS = {
  version: lambda do |_|
    equal(Docker.ping, 'OK')
    equal(Docker.version['Os'], 'linux')
    equal(Docker.info['OSType'], 'linux')
    equal(Docker.podman?, false)
  end,

  run: lambda do |_|
    container = create('Cmd' => ['sh', '-c', 'echo out; echo err >&2; exit 3']).tap(&:start)
    equal(container.wait(60)['StatusCode'], 3)
    lines = container.streaming_logs(stdout: true, stderr: true) { |_stream, _chunk| }
    equal(lines.lines.sort, %W[err\n out\n])
    container.delete(force: true)
    equal(Docker::Container.all(all: true), [])
    ended = Docker::Image.get('busybox').run('ls /etc')
    equal(ended.wait(60)['StatusCode'], 0)
    raise ended.logs(stdout: true) unless ended.logs(stdout: true).include?('passwd')
  end,

  life: lambda do |_|
    container = still('name' => 'web', 'Labels' => { 'tier' => 'front' })
    container.pause
    equal(container.json['State']['Status'], 'paused')
    container.unpause
    container.restart('timeout' => 5)
    container.rename('shop')
    container.update('Memory' => 32 << 20, 'MemorySwap' => 64 << 20)
    equal(Docker::Container.get('shop').json['HostConfig']['Memory'], 32 << 20)
    filters = { label: ['tier=front'] }.to_json
    equal(Docker::Container.all(filters: filters).map(&:id), [container.id])
    equal(container.refresh!.info['Names'], ['/shop'])
    equal(container.top.empty?, false)
    container.kill(signal: 'SIGTERM')
    equal(container.wait(60)['StatusCode'], 0)
    container.start.stop('timeout' => 5)
    container.delete
    equal(Docker::Container.prune, nil)
  end,

  attach: lambda do |_|
    container = create('Cmd' => ['cat'], 'OpenStdin' => true, 'StdinOnce' => true).start!
    out, = container.attach(stdin: StringIO.new("hello\n"))
    equal(out, ["hello\n"])
  end,

  exec: lambda do |_|
    container = still
    equal(container.exec(['sh', '-c', 'echo out; echo err >&2; exit 3']), [["out\n"], ["err\n"], 3])
    equal(container.exec(['cat'], stdin: StringIO.new('in')), [['in'], [], 0])
    equal(container.exec(['tty'], tty: true)[0], ["/dev/pts/0\r\n"])
  end,

  stats: lambda do |_|
    container = still('name' => 'web')
    equal(container.stats['name'], '/web')
    container.stats { |told| break equal(told['name'], '/web') }
  end,

  events: lambda do |_|
    filters = { label: ['watched=1'], event: ['die'] }.to_json
    from = Docker.info['SystemTime']
    still('Labels' => { 'watched' => '1' }).kill
    seen = nil
    since = DateTime.rfc3339(from).to_time.to_i
    Docker::Event.stream(filters: filters, since: since) { |event| break seen = event }
    equal([seen.type, seen.action, seen.actor.attributes['exitCode']], %w[container die 137])
  end,

  archives: lambda do |folder|
    container = still
    container.store_file('/tmp/stored', 'what it says')
    equal(container.read_file('/tmp/stored'), 'what it says')
    container.archive_in("#{folder}/data", '/tmp', overwrite: true)
    equal(container.read_file('/tmp/data'), 'what it says')
    equal(container.changes.map { |change| change['Path'] }.include?('/tmp/data'), true)
    exported = String.new
    container.export { |chunk| exported << chunk }
    equal(exported.include?('what it says'), true)
  end,

  errors: lambda do |_|
    refused(Docker::Error::NotFoundError, /No such container: nobody/) { Docker::Container.get('nobody') }
    container = create('name' => 'web', 'Cmd' => ['nowhere'])
    refused(Docker::Error::ConflictError, /is already in use/) { create('name' => 'web') }
    refused(Docker::Error::ClientError, /executable file not found/) { container.start! }
    refused(Docker::Error::NotFoundError, /No such image/) { create('Image' => 'lab/none') }
    equal(Docker::Image.exist?('lab/none'), false)
    refused(Docker::Error::ConflictError) { still('name' => 'box').delete }
    refused(Docker::Error::TimeoutError) { Docker::Container.get('box').wait(1) }
  end,

  images: lambda do |registry|
    image = Docker::Image.create('fromImage' => "#{registry}/tool:1")
    image.tag('repo' => "#{registry}/ruby", 'tag' => '2', 'force' => true)
    image.push({ 'username' => 'anyone', 'password' => 'secret' }, repo_tag: "#{registry}/ruby:2")
    saved = Docker::Image.save("#{registry}/ruby:2")
    Docker::Image.remove("#{registry}/ruby:2")
    Docker::Image.load(StringIO.new(saved))
    tags = Docker::Image.get("#{registry}/ruby:2").info['RepoTags']
    equal(tags.include?("#{registry}/ruby:2"), true)
    equal(Docker::Image.all.any? { |one| one.info['RepoTags'].include?("#{registry}/ruby:2") }, true)
    equal(image.history.empty?, false)
    refused(Docker::Error::NotFoundError) { Docker::Image.create('fromImage' => "#{registry}/none:1") }
  end,

  build: lambda do |folder|
    built = Docker::Image.build_from_dir(folder, 't' => 'lab/built:ruby')
    equal(built.run('cat /data').tap { |one| one.wait(60) }.logs(stdout: true)[8..], 'what it says')
    plain = Docker::Image.build("FROM busybox\nRUN echo hello >/word\n")
    equal(plain.run('cat /word').tap { |one| one.wait(60) }.logs(stdout: true)[8..], "hello\n")
    inserted = Docker::Image.get('busybox').insert_local('localPath' => "#{folder}/data", 'outputPath' => '/in')
    equal(inserted.run('cat /in').tap { |one| one.wait(60) }.logs(stdout: true)[8..], 'what it says')
    refused(Docker::Error::UnexpectedResponseError) { Docker::Image.build("FROM busybox\nRUN false\n") }
  end,

  commit: lambda do |_|
    container = still
    container.exec(['touch', '/made'])
    image = container.commit('repo' => 'lab/committed', 'run' => { 'Cmd' => ['ls', '/made'] })
    ended = image.run
    equal(ended.wait(60)['StatusCode'], 0)
    equal(ended.logs(stdout: true)[8..], "/made\n")
    image.remove(force: true)
    equal(Docker::Image.exist?('lab/committed'), false)
  end,

  networks: lambda do |_|
    still('name' => 'other')
    database = still('name' => 'db')
    network = Docker::Network.create('backend', 'Labels' => { 'tier' => 'back' })
    network.connect('db', {}, 'EndpointConfig' => { 'Aliases' => ['store'] })
    equal(network.info['Containers'].keys, [database.id])
    client = still('HostConfig' => { 'NetworkMode' => 'backend' })
    equal(client.exec(['ping', '-c', '1', 'store']).last, 0)
    network.disconnect(client.id)
    filters = { label: ['tier=back'] }.to_json
    # By name: its id is another one since it followed the container; the one that is held leads to it.
    equal(Docker::Network.all(filters: filters).map { |one| one.info['Name'] }, ['backend'])
    network.disconnect('db')
    network.remove
    Docker::Network.create('unused')
    Docker::Network.prune
    equal(Docker::Network.all(filters: { type: ['custom'] }.to_json), [])
  end,

  volumes: lambda do |_|
    host = { 'HostConfig' => { 'Binds' => %w[data:/data cache:/cache] } }
    %w[data cache].each { |name| Docker::Volume.create(name, 'Labels' => { 'tier' => 'back' }) }
    create(host.merge('Cmd' => ['touch', '/data/made', '/cache/made'])).start!.wait(60)
    reader = create(host.merge('Cmd' => ['ls', '/data', '/cache'])).start!
    reader.wait(60)
    equal(reader.logs(stdout: true).scan('made').length, 2)
    equal(Docker::Volume.all.map(&:id).sort, %w[cache data])
    refused(Docker::Error::ConflictError) { Docker::Volume.get('data').remove }
    Docker::Container.prune
    Docker::Volume.all.each(&:remove)
    equal(Docker::Volume.all, [])
  end
}.freeze

name, *rest = ARGV
SCENARIOS.fetch(name.to_sym).call(rest[0])
