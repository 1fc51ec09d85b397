/**
 * Programs that say what their values are and crash: the engine must say the same, without debug information, for every
 * kind of value and every state of a map or channel, in each Go version that lays them out in its own way.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatValue } from '../../../src/engine/value/format.ts'
import { loadValue } from '../../../src/engine/value/load.ts'
import { decimal, quote } from '../../../src/engine/value/text.ts'
import type { LoadedWaiter, Value } from '../../../src/engine/value/value.ts'
import { crashPrograms, processOf, whyNoCrashes } from '../../support/crashed-programs.ts'
import { contextOf, everything, probesOf } from '../../support/probes.ts'

const versions = ['1.19', '1.21', '1.23', '1.24', '1.26', '1.27']
const programs = ['values-maps', 'values-maps-midway', 'values-kinds', 'values-chans', 'values-library']

for (const go of versions)
  test(`values are what the program says, Go ${go}, stripped`, { timeout: 600_000 }, async context => {
    const why = whyNoCrashes()
    if (why) return context.skip(why)
    using crashed = await crashPrograms(go, 'stripped', programs)
    if (!crashed) return context.skip(`Go ${go} is not to be had`)
    assert.equal(crashed.crashes.length, programs.length)
    for (const crash of crashed.crashes)
      await context.test(crash.program, () => {
        const process = processOf(crash)
        const values = contextOf(process)
        const printed = readFileSync(crash.text, 'utf8').matchAll(/^truth (.+?) = (".*")$/gm)
        const truths = new Map([...printed].map(([, name, text]) => [name!, text!]))
        const probes = probesOf(process, values)
        assert.equal(probes.length, truths.size)
        const wrong: string[] = []
        for (const { name, value, truth } of probes) {
          assert.equal(quote(new TextEncoder().encode(truth)), truths.get(name))
          const loaded = value && loadValue(values, value, everything)
          const text = loaded ? tell(crash.program, loaded) : 'nil'
          // What runs in circles is told as far as it says.
          const same = isCircle(truth) ? text.startsWith(truth) : text === truth
          if (!same && !isUntold(go, name))
            wrong.push(`${name}\n  said ${truth.slice(0, 300)}\n  read ${text.slice(0, 300)}`)
        }
        assert.deepEqual(wrong, [])
      })
  })

/** Until Go 1.22, nothing but the address of a variable of package netip tells an IPv4 address mapped into IPv6. */
const isUntold = (go: string, name: string): boolean => go < '1.23' && name === 'addr ::ffff:1.2.3.4'

const isCircle = (truth: string): boolean => /[:{[(&,]$/.test(truth)

function tell(program: string, value: Value): string {
  if (program === 'values-library') return glance(value)
  return program === 'values-chans' ? channel(value) : canonical(value)
}

/** The glance, without what stands around it. */
function glance(value: Value): string {
  if (value.kind === 'pointer' && value.target) return glance(value.target)
  const text = value.glance ?? formatValue(value)
  // An error's is quoted, and says what it wraps.
  const quoted = /^(".*")(?:, wraps .*)?$/.exec(text)
  const error = /[Ee]rror/.test(value.type.name)
  if (quoted && error) return JSON.parse(quoted[1]!) as string
  return text
}

function channel(value: Value): string {
  if (value.kind !== 'chan' || !value.state) return 'nil'
  const { length, capacity, items, closed, senders, receivers } = value.state
  const list = (waiters: readonly LoadedWaiter[]): string =>
    waiters
      .map(({ value, select }) => (value ? canonical(value) : '?') + (select ? ' in select' : ''))
      .join(',')
  assert.ok([...senders, ...receivers].every(({ goroutine = 0 }) => goroutine > 1))
  const end = closed ? ' closed' : ''
  return `${length}/${capacity} [${items.map(canonical).join(',')}]${end} senders [${list(senders)}] receivers [${list(receivers)}]`
}

/** A value in the words of package truth. */
function canonical(value: Value): string {
  switch (value.kind) {
    case 'bool':
    case 'int':
      return String(value.value)
    case 'float':
      return decimal(value.value, value.bits)
    case 'complex':
      return `(${decimal(value.real, value.bits / 2)} + ${decimal(value.imag, value.bits / 2)}i)`
    case 'string':
      return quote(value.bytes)
    case 'slice':
    case 'array':
      return value.nil ? 'nil' : `[${value.items.map(canonical).join(',')}]`
    case 'struct':
      return `{${value.fields.map(({ name, value }) => `${name}:${canonical(value)}`).join(',')}}`
    case 'map': {
      const entries = value.entries.map(({ key, value }) => `${canonical(key)}:${canonical(value)}`)
      assert.equal(entries.length, value.length)
      return value.nil ? 'nil' : `{${entries.sort(byBytes).join(',')}}`
    }
    case 'pointer':
      return value.target ? `&${canonical(value.target)}` : value.pointer === 0n ? 'nil' : '&...'
    case 'interface':
      return value.dynamic ? `${value.dynamic.type.name}(${canonical(value.dynamic)})` : 'nil'
    case 'chan':
      return value.state ? `chan ${value.state.length}/${value.state.capacity}` : 'nil'
    case 'func':
      return `0x${value.pc.toString(16)}`
    case 'unsafe.Pointer':
      return `0x${value.pointer.toString(16)}`
    case 'unreadable':
      return `(unreadable ${value.reason})`
    default:
      return '...'
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
