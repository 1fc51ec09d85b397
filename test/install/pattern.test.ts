import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corePattern, describePattern, kernelVersion, longestPattern } from '../../src/install/pattern.ts'

test('corePattern() has the seven fields in the order of the handler, then what the kernel knows', () => {
  const launcher = '/usr/local/bin/gocore-sink'
  const rows: [string, string][] = [
    ['3.0.1', `|${launcher} %P %u %g %s %t %c %e %h`],
    ['5.10.0-21-amd64', `|${launcher} %P %u %g %s %t %c %e %h %I %d`],
    ['6.16.0', `|${launcher} %P %u %g %s %t %c %e %h %I %d -F%F`],
    ['7.1.2', `|${launcher} %P %u %g %s %t %c %e %h %I %d -F%F`],
  ]
  for (const [release, pattern] of rows) assert.equal(corePattern(launcher, kernelVersion(release)), pattern)
})

test('corePattern() leaves optional fields out, last first, where the path is long, and refuses one that is too long', () => {
  const kernel = kernelVersion('6.18.0')
  const of = (length: number): string => `/${'x'.repeat(length - 1)}`
  for (let length = 60; length <= 105; length++) {
    const pattern = corePattern(of(length), kernel)
    assert.ok(Buffer.byteLength(pattern) <= longestPattern)
    assert.match(pattern, / %P %u %g %s %t %c %e( %h( %I( %d( -F%F)?)?)?)?$/)
  }
  assert.match(corePattern(of(105), kernel), /%c %e$/)
  assert.throws(() => corePattern(of(106), kernel), /takes? 128 bytes and holds 127; choose a shorter prefix/)
})

test('describePattern() names whose a pattern is', () => {
  const rows: [string, string][] = [
    ['|/usr/local/bin/gocore-sink %P %u', 'gocore-sink'],
    ['|/usr/lib/systemd/systemd-coredump %P %u %g', 'systemd-coredump'],
    ['|/usr/share/apport/apport -p%p', 'apport'],
    ['|/bin/false', 'nobody (/bin/false throws dumps away)'],
    ['@/run/coredump.sock', 'a socket server'],
    ['core.%p', 'the kernel, which writes files itself'],
    ['', 'nobody'],
  ]
  for (const [pattern, owner] of rows) assert.equal(describePattern(pattern).owner, owner, pattern)
})
