/** Regular expressions of the user's own, wherever they are typed. */
import { UsageError } from '../base/errors.ts'

/** The empty one matches everything. Throws UsageError with what is wrong. */
export function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u')
  } catch (error) {
    throw new UsageError(
      `${JSON.stringify(text)} is not a regular expression: ${(error as Error).message.replace(/^.*: /, '')}.`,
    )
  }
}
