/**
 * A strict reader of Prometheus's text format 0.0.4, with the rules of `promtool check metrics` on top: what a scraper takes and a
 * person would be warned of fails here.
 */
import assert from 'node:assert/strict'

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"'
const number = '[+-]?(?:Inf|NaN|[0-9]+(?:\\.[0-9]+)?(?:e[+-]?[0-9]+)?)'
const helpLine = new RegExp(`^# HELP (${name}) (\\S.*)$`)
const typeLine = new RegExp(`^# TYPE (${name}) (counter|gauge|histogram|summary|untyped)$`)
const sampleLine = new RegExp(`^(${name})(\\{(?:${label}(?:,${label})*)?\\})? (${number})$`)

interface Family {
  readonly name: string
  readonly type: string
  readonly samples: { name: string; labels: string; value: number }[]
}

/** The samples, by name and labels as they stand there. */
export function parseExposition(text: string): Map<string, number> {
  assert.ok(text.endsWith('\n'), 'the last line has its end')
  const families = new Map<string, Family>()
  const samples = new Map<string, number>()
  let help: string | undefined
  let family: Family | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const helps = helpLine.exec(line)
    const types = typeLine.exec(line)
    if (helps) {
      assert.equal(help, undefined, `${line} follows another HELP`)
      assert.ok(!families.has(helps[1]!), `${helps[1]} begins twice`)
      help = helps[1]!
    } else if (types) {
      assert.equal(types[1], help, `${line} without its HELP before it`)
      help = undefined
      family = { name: types[1]!, type: types[2]!, samples: [] }
      families.set(family.name, family)
    } else {
      assert.equal(help, undefined, `${line} between HELP and TYPE`)
      const sample = sampleLine.exec(line)
      assert.ok(sample, `${line} is no sample`)
      const [, own, labels = '', value] = sample
      assert.ok(family !== undefined && isOf(own!, family), `${line} is not of the family ${family?.name}`)
      assert.ok(!samples.has(`${own}${labels}`), `${line} stands twice`)
      samples.set(`${own}${labels}`, Number(value!.replace('Inf', 'Infinity')))
      family.samples.push({ name: own!, labels, value: samples.get(`${own}${labels}`)! })
    }
  }
  for (const each of families.values()) check(each)
  return samples
}

const isOf = (own: string, { name: base, type }: Family): boolean =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'].some(suffix => own === base + suffix) : own === base

function check({ name: base, type, samples }: Family): void {
  assert.equal(base.endsWith('_total'), type === 'counter', `${base} is a ${type}`)
  assert.ok(!/_(count|sum|bucket|info_total)$/.test(base), `${base} has the name of a part of a histogram`)
  assert.ok(!/_(milliseconds|ms|kilobytes|kb|mb|minutes|hours)(_|$)/.test(base), `${base} is in no base unit`)
  if (type === 'counter')
    assert.ok(
      samples.every(({ value }) => value >= 0),
      `${base} has counted down`,
    )
  if (type !== 'histogram') return
  const of = (suffix: string) => samples.filter(sample => sample.name === base + suffix)
  const bounds = of('_bucket').map(({ labels, value }) => ({
    le: /^\{le="([^"]+)"\}$/.exec(labels)?.[1],
    value,
  }))
  assert.ok(bounds.length > 1 && of('_sum').length === 1 && of('_count').length === 1, `${base} is not whole`)
  const edges = bounds.map(({ le }) => Number(le?.replace('+Inf', 'Infinity')))
  for (const [i, edge] of edges.entries()) {
    assert.ok(
      i === 0 || (edge > edges[i - 1]! && bounds[i]!.value >= bounds[i - 1]!.value),
      `${base} at ${edge}`,
    )
  }
  assert.equal(bounds.at(-1)!.le, '+Inf')
  assert.equal(bounds.at(-1)!.value, of('_count')[0]!.value)
}
