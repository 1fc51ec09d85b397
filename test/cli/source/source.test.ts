import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { UsageError } from '../../../src/base/errors.ts'
import { candidates, parseSourceMap } from '../../../src/cli/source/candidates.ts'
import { openCheckout } from '../../../src/cli/source/checkout.ts'
import { unknownOrigin } from '../../../src/cli/source/origin.ts'
import { sourceFinder } from '../../../src/cli/source-lines.ts'

const work = mkdtempSync(join(tmpdir(), 'gocore-sources-'))
after(() => rmSync(work, { recursive: true }))
const env = { HOME: '/home/u', GOMODCACHE: '/cache' }
const places = (file: string, options = {}) => candidates(file, { env, ...options })

describe('candidates()', () => {
  it('begins with what the user maps', () => {
    const mappings = [{ from: '/build', to: '/home/u/src' }]
    assert.deepEqual(places('/build/api/main.go', { mappings }).slice(0, 2), [
      '/home/u/src/api/main.go',
      '/build/api/main.go',
    ])
    assert.ok(!places('/builder/main.go', { mappings }).includes('/home/u/src/er/main.go'))
  })

  it('finds modules in the cache, with the capitals of their paths escaped', () => {
    const file = 'github.com/BurntSushi/toml@v1.3.2/Decode.go'
    assert.ok(places(file).includes('/cache/github.com/!burnt!sushi/toml@v1.3.2/Decode.go'))
    assert.ok(
      places(`/root/go/pkg/mod/${file}`).includes('/cache/github.com/!burnt!sushi/toml@v1.3.2/Decode.go'),
    )
  })

  it('finds a main module that was installed by its version', () => {
    const origin = { ...unknownOrigin, modules: [{ path: 'example.org/tool', version: 'v1.2.3' }] }
    assert.ok(
      places('example.org/tool/cmd/x.go', { origin }).includes('/cache/example.org/tool@v1.2.3/cmd/x.go'),
    )
  })

  it('takes the standard library of the very version only', () => {
    const goroot = join(work, 'go')
    mkdirSync(goroot, { recursive: true })
    writeFileSync(join(goroot, 'VERSION'), 'go1.26.8\ntime 2026-01-01\n')
    const of = (goVersion: string) =>
      places('runtime/proc.go', { env: { ...env, GOROOT: goroot }, origin: { ...unknownOrigin, goVersion } })
    assert.ok(of('go1.26.8').includes(join(goroot, 'src/runtime/proc.go')))
    assert.ok(!of('go1.26.7').includes(join(goroot, 'src/runtime/proc.go')))
    assert.ok(
      of('go1.26.7').some(path => path.startsWith('/cache/golang.org/toolchain@v0.0.1-go1.26.7.linux-')),
    )
  })

  it('drops .. from what a dump says', () => {
    for (const path of places('/src/../../etc/../../../root/x.go', { dirs: ['/d'] }))
      assert.ok(!path.includes('..'), path)
  })
})

describe('parseSourceMap()', () => {
  it('takes FROM=TO', () =>
    assert.deepEqual(parseSourceMap('/a/=b', '--source-map'), { from: '/a', to: 'b' }))
  it('refuses what is no pair', () => assert.throws(() => parseSourceMap('/a', '--source-map'), UsageError))
})

describe('sourceFinder()', () => {
  it('warns of a file that was changed after the crash', () => {
    const file = join(work, 'late.go')
    writeFileSync(file, 'package main\n\nfunc main() {\n\tpanic(1)\n}\n')
    const frame = { file, line: 4, function: 'main.main' }
    const origin = { ...unknownOrigin, diedAt: Date.parse('2026-01-01') }
    utimesSync(file, new Date('2025-12-01'), new Date('2025-12-01'))
    const early = sourceFinder({ origin })
    assert.equal(early.lines(frame, { before: 0, after: 0 })?.[0]?.text, '    panic(1)')
    assert.deepEqual(early.warnings, [])
    utimesSync(file, new Date('2026-02-01'), new Date('2026-02-01'))
    const late = sourceFinder({ origin })
    late.lines(frame, { before: 0, after: 0 })
    assert.match(late.warnings[0]!, /late\.go was changed after the crash/)
  })
})

describe('openCheckout()', {
  skip: spawnSync('git', ['--version']).status === 0 ? false : 'needs git',
}, () => {
  const dir = join(work, 'checkout')
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      encoding: 'utf8',
    }).trim()
  mkdirSync(join(dir, 'cmd/api'), { recursive: true })
  execFileSync('git', ['init', '-q', dir])
  writeFileSync(join(dir, 'cmd/api/main.go'), 'package main\n\nfunc main() { old() }\n')
  git('add', '.')
  git('commit', '-q', '-m', 'first')
  const revision = git('rev-parse', 'HEAD')
  writeFileSync(join(dir, 'cmd/api/main.go'), 'package main\n\nfunc main() { changed() }\n')
  const origin = { ...unknownOrigin, revision, mainModule: 'example.org/api' }

  it('reads files as the commit has them', () => {
    const checkout = openCheckout(dir, origin)
    for (const file of ['example.org/api/cmd/api/main.go', '/build/place/cmd/api/main.go'])
      assert.equal(checkout.read(file)?.lines[2], 'func main() { old() }', file)
    assert.equal(checkout.read('/build/cmd/api/absent.go'), undefined)
  })

  it('refuses a directory without the commit, and a program that names none', () => {
    assert.throws(() => openCheckout(dir, { ...origin, revision: 'f'.repeat(40) }), /has the commit/)
    assert.throws(() => openCheckout(work, origin), /is no git checkout/)
    assert.throws(() => openCheckout(dir, unknownOrigin), /does not say which commit/)
  })
})
