/** What dlv prints of many expressions: one session a core, with a mark in front of each answer. */
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An expression, looked at from a function's frame where one is named; `short` as `locals` shows it, on one line. */
export interface Question {
  readonly expression: string
  readonly short: boolean
  readonly frame?: string
}

interface Dump {
  readonly executable: string
  readonly core: string
}

/** The answers in order: text, or `error: …`. */
export async function askDelve(dump: Dump, questions: readonly Question[]): Promise<string[]> {
  const frames = questions.some(({ frame }) => frame) ? await framesOf(dump) : new Map<string, number>()
  const lines: string[] = []
  let at: number | undefined
  for (const [i, { expression, short, frame }] of questions.entries()) {
    const index = frame === undefined ? at : frames.get(frame)
    if (index !== undefined && index !== at) lines.push('print "@@frame"', `frame ${index}`)
    at = index
    lines.push(`print "@@${i}"`, short ? `display -a ${expression}` : `print ${expression}`)
  }
  lines.push('print "@@end"')
  const text = await run(dump, lines)
  const answers = new Map<number, string>()
  for (const part of text.split(/^"@@/m).slice(1)) {
    const [, number, answer] = /^(\d+)"\n([\s\S]*)$/.exec(part) ?? []
    if (number === undefined) continue
    // A channel's is followed by goroutines that wait for it.
    const plain = answer!.replace(/\n$/, '').replace(/\n\nGoroutines waiting on this channel:[\s\S]*$/, '')
    answers.set(Number(number), plain.replace(/^.*\.init:\d+: |^error (?=\w)/, 'error: '))
  }
  return questions.map(({ short }, i) => {
    const answer = answers.get(i) ?? 'error: no answer'
    return short ? answer.replace(/^\d+: [\s\S]*? = /, '') : answer
  })
}

async function framesOf(dump: Dump): Promise<Map<string, number>> {
  const frames = new Map<string, number>()
  for (const [, index, name] of (await run(dump, ['stack 50'])).matchAll(
    /^ *(\d+) {2}0x[0-9a-f]+ in (.*)$/gm,
  ))
    if (!frames.has(name!)) frames.set(name!, Number(index))
  return frames
}

function run({ executable, core }: Dump, lines: readonly string[]): Promise<string> {
  const script = join(tmpdir(), `gocore-values-${process.pid}.init`)
  writeFileSync(script, `${lines.join('\n')}\nexit\n`)
  const args = ['core', executable, core, '--check-go-version=false']
  args.push('--allow-non-terminal-interactive=true', '--init', script)
  return new Promise(resolve => {
    let text = ''
    const child = spawn('dlv', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
    child.once('error', () => resolve(''))
    child.once('close', () => {
      rmSync(script, { force: true })
      // biome-ignore lint/complexity/useRegexLiterals: the escape reads better so
      resolve(text.replace(new RegExp('\u001b\\[[0-9;]*m', 'g'), ''))
    })
  })
}
