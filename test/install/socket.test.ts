import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { installSteps } from '../../src/install/install.ts'
import { findLayout, staged } from '../../src/install/layout.ts'
import {
  describePattern,
  isPatternOf,
  noSocketMode,
  socketPath,
  socketPattern,
} from '../../src/install/pattern.ts'
import { readTemplate, renderReceiver, renderTemplate } from '../../src/install/units.ts'

test('noSocketMode() says in a sentence why an older kernel has none', () => {
  assert.equal(noSocketMode('file pipe socket', [6, 18]), undefined)
  assert.equal(noSocketMode('file\npipe\nsocket\n', [7, 0]), undefined)
  assert.match(
    noSocketMode(undefined, [6, 1])!,
    /takes Linux 6\.17 or later .* this is Linux 6\.1; without --socket/,
  )
  assert.match(noSocketMode('file pipe socket', [6, 16])!, /this is Linux 6\.16 /)
  assert.match(noSocketMode('file pipe', [6, 18])!, /with file and pipe alone/)
})

test('describePattern() knows the socket as ours, and others as others’', () => {
  assert.equal(describePattern(socketPattern).owner, 'gocore-sink')
  assert.equal(describePattern('@@/run/other.sock').owner, 'a socket server')
})

test('renderReceiver() names the version outright, and the socket’s unit the path that the kernel is told', () => {
  const root = join(import.meta.dirname, '../..')
  const layout = findLayout({ prefix: '/usr' })
  const text = renderTemplate(readTemplate(root, 'gocore-sink-receiver.service'), layout)
  const unit = renderReceiver(text, layout, '/usr/lib/gocore-sink/versions/1')
  assert.match(
    unit,
    /^ExecStart=\/usr\/lib\/gocore-sink\/versions\/1\/bin\/node .* \/usr\/lib\/gocore-sink\/versions\/1\/dist\/receiver\.js --config \/etc\/gocore-sink\.conf$/m,
  )
  const socket = renderTemplate(readTemplate(root, 'gocore-sink-receiver.socket'), layout)
  assert.match(socket, new RegExp(`^ListenStream=${socketPattern.slice(2)}$`, 'm'))
})

test('the socket’s unit listens where core_pattern says, wherever the configuration has the run directory', () => {
  const root = join(import.meta.dirname, '../..')
  const layout = findLayout()
  const moved = { ...layout, settings: { ...layout.settings, run: '/run/other' } }
  const text = renderTemplate(readTemplate(root, 'gocore-sink-receiver.socket'), moved)
  assert.equal(/^ListenStream=(.*)$/m.exec(text)?.[1], socketPath)
  const service = renderTemplate(readTemplate(root, 'gocore-sink-receiver.service'), moved)
  assert.match(service, /^BindPaths=-\/run\/other$/m)
})

test('isPatternOf() knows this installation’s launcher, and the socket as the system’s', () => {
  const layout = findLayout()
  const launcher = `|${layout.launcher} %P`
  const other = findLayout({ prefix: '/opt/sink' })
  assert.deepEqual(
    [launcher, socketPattern, `|${layout.launcher}2 %P`, 'core', undefined].map(text =>
      isPatternOf(layout, text),
    ),
    [true, true, false, false, false],
  )
  assert.deepEqual(
    [launcher, socketPattern, `|${other.launcher} %P`].map(text => isPatternOf(other, text)),
    [false, false, true],
  )
})

test('install --no-kernel over one that has the socket leaves the receiver in place', () => {
  const root = mkdtempSync(join(tmpdir(), 'socket-'))
  try {
    const layout = findLayout({ root: join(root, 'stage') })
    const record = {
      schema: 'gocore-sink-install',
      version: 1,
      pattern: socketPattern,
      previous: {},
      files: [],
    }
    const path = staged(layout, layout.record)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, JSON.stringify(record))
    cpSync(join(import.meta.dirname, '../../systemd'), join(root, 'systemd'), { recursive: true })
    mkdirSync(join(root, 'dist'))
    writeFileSync(join(root, 'package.json'), '{}')
    const product = { root, version: '1', node: process.execPath }
    const paths = (kernel: boolean): string[] =>
      installSteps(layout, { product, kernel }).flatMap(step => (step.kind === 'file' ? [step.path] : []))
    assert.ok(paths(false).includes(layout.receiver.socket))
    assert.ok(!paths(true).includes(layout.receiver.socket))
  } finally {
    rmSync(root, { recursive: true })
  }
})
