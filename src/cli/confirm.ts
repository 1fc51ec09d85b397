/** A yes-or-no question on a terminal. */
import { createInterface } from 'node:readline/promises'

/** Only `y` and `yes` are a yes; the end of input is a no. */
export async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const end = new Promise<string>(resolve => lines.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), end])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
