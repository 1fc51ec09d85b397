import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { corePatternIn, finish, start } from '../../../scripts/fidelity.d/crash.ts'
import { fetchByBuildId } from '../../../src/cli/symbols/debuginfod.ts'
import { buildIdPath } from '../../../src/cli/symbols/local.ts'
import { openProgram } from '../../engine/disasm/objdump.ts'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { type CrashedPrograms, crashPrograms, whyNoCrashes } from '../../support/crashed-programs.ts'
import { runCli } from '../run-cli.ts'

const have = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0
const skip = whyNoCrashes() ?? (have('gcc') && have('objcopy') ? false : 'needs gcc and objcopy')
const work = mkdtempSync(join(tmpdir(), 'gocore-symbols-'))
after(() => rmSync(work, { recursive: true, force: true }))

/** Dies with `counter` at 48: 42 and the depths 1, 2, 3. */
const source = `struct item { int n; struct item *next; };
int counter = 42;
static struct item table[2] = { {1, 0}, {2, 0} };
static __attribute__((noinline)) int walk(struct item *i, int depth) { counter += depth; return i->n + walk(i->next, depth + 1); }
int main(void) { table[0].next = &table[1]; return walk(table, 1); }
`
const program = join(work, 'walker')
const separate = join(work, 'kept/walker.debug')
let core = ''
let buildId = ''

before(async () => {
  if (skip !== false) return
  mkdirSync(join(work, 'kept'))
  writeFileSync(`${program}.c`, source)
  execFileSync('gcc', ['-g', '-O1', '-Wl,--build-id', '-o', program, `${program}.c`])
  buildId = openProgram(program).buildId!
  execFileSync('objcopy', ['--only-keep-debug', program, separate])
  execFileSync('objcopy', ['--strip-all', `--add-gnu-debuglink=${separate}`, program])
  using pattern = await takeCorePattern()
  pattern.set(corePatternIn(work))
  core = (await finish(start(program, 'walker', work), program, 'walker', work))!.core
})

const env = { XDG_CACHE_HOME: join(work, 'cache') }
function print(expression: string, ...args: string[]): string {
  const outcome = runCli(['print', core, expression, '--exe', program, ...args], { env })
  return outcome.status === 0 ? outcome.stdout.trim() : outcome.stderr.trim()
}

describe('separate debug information', { skip }, () => {
  it('is missed where it is not there', () => assert.match(print('counter'), /there is no counter/))

  it('is a file that is named', () => assert.equal(print('counter', '--symbols', separate), '48'))

  it('serves every verb that looks into a core', () => {
    for (const verb of ['show', 'bt', 'threads', 'list', 'disass', 'sources', 'regs', 'info']) {
      const { stdout, stderr, status } = runCli([verb, core, '--exe', program, '--symbols', separate], {
        env,
      })
      assert.equal(status, 0, `${verb}: ${stderr}`)
      if (verb !== 'info' && verb !== 'regs') assert.match(stdout, /walker\.c/, verb)
    }
    assert.match(
      runCli(['bt', core, '--exe', program, '--symbols', separate], { env }).stdout,
      /^walk\(\)\n\t\S+walker\.c:4 /m,
    )
  })

  it('is in a directory, by build id or by name', () => {
    const tree = join(work, 'tree')
    mkdirSync(join(buildIdPath(tree, buildId), '..'), { recursive: true })
    cpSync(separate, buildIdPath(tree, buildId))
    assert.equal(print('counter', '--symbols', tree), '48')
    const names = join(work, 'names/deeper')
    mkdirSync(names, { recursive: true })
    cpSync(separate, join(names, 'anything'))
    assert.equal(print('counter', '--symbols', join(work, 'names')), '48')
  })

  it('is found beside the program, by the debug link', () => {
    mkdirSync(join(work, '.debug'))
    cpSync(separate, join(work, '.debug/walker.debug'))
    assert.equal(print('counter'), '48')
    assert.match(runCli(['bt', core, '--exe', program]).stdout, /^walk\(\)\n\t\S+walker\.c:4 /m)
    rmSync(join(work, '.debug'), { recursive: true })
  })

  it('is refused where it is another program’s', () => {
    writeFileSync(join(work, 'other.c'), source.replace('42', '43').replace('+ 1)', '+ 2)'))
    execFileSync('gcc', ['-g', '-O1', '-Wl,--build-id', '-o', join(work, 'other'), join(work, 'other.c')])
    assert.match(
      print('counter', '--symbols', join(work, 'other')),
      /other does not fit \S+walker: it has the build id [0-9a-f]+, the program [0-9a-f]+\.$/,
    )
    assert.match(
      print('counter', '--symbols', program),
      /walker does not fit .*: it has no debug information\.$/,
    )
    assert.match(print('counter', '--symbols', join(work, 'nowhere')), /there is no file/)
  })
})

describe('debuginfod', { skip }, () => {
  const asked: string[] = []
  let server: Server
  let url = ''
  let answer: 'file' | 'none' | 'cut' | 'garbage' | 'silent' = 'file'
  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url!)
      const file = readFileSync(separate)
      if (answer === 'silent') return
      if (answer === 'none' || !request.url!.includes(buildId)) return void response.writeHead(404).end()
      response.writeHead(200, { 'content-length': file.length })
      if (answer === 'cut') return void response.write(file.subarray(0, 100), () => response.destroy())
      response.end(answer === 'garbage' ? Buffer.alloc(file.length) : file)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  let number = 0
  const fresh = (): string => join(work, `cache-${number++}`)
  const fetched = (cache: string, options = {}) =>
    fetchByBuildId(url, buildId, 'debuginfo', { cache, ...options })

  it('is asked once, and the cache after that', async () => {
    answer = 'file'
    const cache = fresh()
    const path = await fetched(cache)
    assert.deepEqual(readFileSync(path!), readFileSync(separate))
    const before = asked.length
    assert.equal(await fetched(cache), path)
    assert.equal(asked.length, before)
    assert.equal(asked.at(-1), `/buildid/${buildId}/debuginfo`)
  })

  it('is not asked again at once for what it did not have', async () => {
    answer = 'none'
    const cache = fresh()
    assert.equal(await fetched(cache), undefined)
    answer = 'file'
    assert.equal(await fetched(cache), undefined)
  })

  it('leaves nothing in the cache where it breaks off, sends too much or says nothing', async () => {
    const cache = fresh()
    answer = 'cut'
    await assert.rejects(fetched(cache), /Could not fetch http:\/\/127/)
    answer = 'file'
    await assert.rejects(fetched(cache, { maxBytes: 10 }), /sends more than 10 bytes/)
    answer = 'silent'
    await assert.rejects(fetched(cache, { timeout: 50 }), /did not answer in time/)
    answer = 'file'
    assert.notEqual(await fetched(cache), undefined)
  })

  it('is asked for source by the path that the compiler saw', async () => {
    answer = 'file'
    const path = await fetchByBuildId(url, buildId, { source: '/a b/c?.c' }, { cache: fresh() })
    assert.match(path!, /source-[0-9a-f]{64}$/)
    assert.equal(asked.at(-1), `/buildid/${buildId}/source//a%20b/c%3F.c`)
  })

  it('is asked for nothing but a build id', async () => {
    for (const name of ['/../../../admin', 'x/../../../../admin', '/a/%2e%2e/..\\..\\x', '//admin'])
      await fetchByBuildId(url, buildId, { source: name }, { cache: fresh() })
    for (const path of asked.slice(-4)) assert.match(path, new RegExp(`^/buildid/${buildId}/source//[^.]`))
    const before = asked.length
    assert.equal(await fetchByBuildId(url, '../../etc', 'debuginfo', { cache: fresh() }), undefined)
    assert.equal(asked.length, before)
  })

  it('serves a command line, as elfutils’ own server', {
    skip: have('debuginfod') ? false : 'needs debuginfod',
  }, async t => {
    const port = 20_000 + (process.pid % 20_000)
    const args = ['-p', String(port), '-d', ':memory:', '-F', join(work, 'kept')]
    const child = spawn('debuginfod', args, { stdio: 'ignore' })
    try {
      const address = `http://127.0.0.1:${port}`
      let there = false
      for (let i = 0; i < 300 && !there; i++) {
        await sleep(100)
        there = await fetch(`${address}/buildid/${buildId}/debuginfo`).then(
          response => response.ok,
          () => false,
        )
      }
      if (!there) return t.skip('debuginfod did not come up')
      assert.equal(print('counter', '--symbols', address), '48')
      assert.equal(print('counter', '--symbols', 'http://127.0.0.1:1'), '48', 'from the cache')
      // The server has the file that the debug information names; here it is out of sight.
      renameSync(`${program}.c`, `${program}.away`)
      const listed = (): string =>
        runCli(['list', core, '--exe', program, '--symbols', address, '-n', '0'], { env }).stdout
      assert.match(listed(), /--source-map FROM=TO/)
      renameSync(`${program}.away`, `${program}.c`)
      assert.match(listed(), /static __attribute__/)
    } finally {
      child.kill()
    }
  })
})

describe('another build of a Go program', { skip }, () => {
  let crashed: CrashedPrograms | undefined
  let full: CrashedPrograms | undefined
  before(async () => {
    crashed = await crashPrograms('1.27', 'stripped', ['error-nil-deref'])
    full = await crashPrograms('1.27', 'full', ['error-nil-deref', 'error-nil-map'])
  })
  after(() => {
    crashed?.[Symbol.dispose]()
    full?.[Symbol.dispose]()
  })
  const ask = (expression: string, symbols?: string): string => {
    const { core: dump, executable } = crashed!.crashes[0]!
    const more = symbols === undefined ? [] : ['--symbols', symbols]
    const outcome = runCli(['print', dump, expression, '--exe', executable, ...more])
    return (outcome.status === 0 ? outcome.stdout : outcome.stderr).trim()
  }
  const buildOf = (name: string): string => full!.crashes.find(({ program: of }) => of === name)!.executable

  it('gives variables their names and places, though data has moved', () => {
    assert.match(ask('runtime.ncpu'), /there is no|not known/)
    const symbols = buildOf('error-nil-deref')
    assert.match(ask('runtime.buildVersion', symbols), /^"go1\.27\.1"$/)
    const cpus =
      Number(ask('runtime.ncpu', symbols).replace(/\D/g, '')) || Number(ask('runtime.numCPUStartup', symbols))
    assert.ok(cpus > 0 && cpus < 10_000, String(cpus))
  })

  it('is refused with what differs', () =>
    assert.match(ask('runtime.ncpu', buildOf('error-nil-map')), /does not fit .*: it has /))
})
