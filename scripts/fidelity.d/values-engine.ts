/** The engine's answers to the same questions, in dlv's own raw form. */
import { existsSync } from 'node:fs'
import { reasonOf } from '../../src/base/errors.ts'
import { openCore, openDebugger } from '../../src/engine/index.ts'
import { formatValue } from '../../src/engine/value/format.ts'
import { fullLimits, shortLimits } from '../../src/engine/value/value.ts'
import { fileSource } from './file-source.ts'
import type { Question } from './values-delve.ts'

export function askEngine(
  { executable, core }: { executable: string; core: string },
  questions: readonly Question[],
): string[] {
  using coreSource = fileSource(core)
  using executableSource = fileSource(executable)
  const find = ({ path }: { path: string }) => (existsSync(path) ? fileSource(path) : undefined)
  const process = openCore(coreSource, { executable: executableSource, find })
  const debug = openDebugger(process)
  const subject = debug.start()
  const stack = subject && debug.stack(subject)
  return questions.map(({ expression, short, frame: name }) => {
    const frame =
      name === undefined ? stack && debug.interesting(stack) : stack?.frames.find(f => f.function === name)
    if (name !== undefined && !frame) return `error: no frame of ${name}`
    try {
      const variable = debug.evaluate(expression, { stack, frame })
      const value = debug.load(variable, short ? shortLimits : fullLimits)
      return formatValue(value, { lines: !short, raw: true })
    } catch (error) {
      return `error: ${reasonOf(error)}`
    }
  })
}
