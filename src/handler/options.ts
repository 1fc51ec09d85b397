/** The handler's own options, which stand before `--` and the kernel's fields. */

export interface HandlerOptions {
  readonly config?: string
  /** File that stands for this handler among those at work, see `src/install/gate.ts`. */
  readonly ticket?: string
  /** Milliseconds that the crash waited before this handler was started. */
  readonly waited: number
  /** The kernel log has been told of the crash. */
  readonly told: boolean
  /** What follows `--`. */
  readonly fields: readonly string[]
}

/** Never throws: what is not known is passed over. */
export function parseOptions(args: readonly string[]): HandlerOptions {
  const separator = args.indexOf('--')
  const own = separator < 0 ? [] : args.slice(0, separator)
  const argumentOf = (name: string): string | undefined => {
    const at = own.indexOf(name)
    return at < 0 ? undefined : own[at + 1]
  }
  const config = argumentOf('--config')
  const ticket = argumentOf('--ticket')
  const waited = argumentOf('--waited') ?? ''
  return {
    ...(config === undefined ? {} : { config }),
    ...(ticket === undefined ? {} : { ticket }),
    waited: /^[0-9]{1,9}$/.test(waited) ? Number(waited) : 0,
    told: own.includes('--told'),
    fields: args.slice(separator + 1),
  }
}
