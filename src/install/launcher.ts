/**
 * PREFIX/bin/gocore-sink, the one program that both the kernel and people call. For the kernel's call (a number, and six
 * fields behind it, of which Linux before 5.3 loses one that is empty) it becomes the handler, by the gate; else the command
 * line, also for an id of digits whose verb was forgotten. A shell script: dash adds half a millisecond to Node's twenty, as
 * much as a compiled one within the noise of measurement, and it needs no compiler on the machine.
 *
 * The kernel gives it an empty environment and closed descriptors 1 and 2. The arguments are hostile (`%e` is any
 * 15 bytes): they are only ever expanded within quotes, and `case` looks at their number and the first alone.
 */
import { type Gate, gateText } from './gate.ts'

export interface LauncherPaths {
  /** The version's directory, named outright: replacing this file by rename switches Node and program in one step. */
  readonly version: string
  readonly config: string
  /** Tell the command line where its configuration is: not needed for the default place. */
  readonly tell: boolean
  readonly gate: Gate
}

/** Node's warnings would go nowhere in the handler, and to people who can't act on them otherwise. */
export const nodeOptions = '--disable-warning=ExperimentalWarning'

/** SIGUSR1 opens no debugger, nor is there a thread that waits for it. */
const handlerOptions = '--disable-sigusr1'

/** The program of a version that takes a crash, and its first arguments. */
export const handlerWords = (version: string): string[] => [
  ...[`${version}/bin/node`, nodeOptions, handlerOptions],
  `${version}/dist/handler.cjs`,
]

/** 8 MB of young objects before they are looked through: a `show` is over by then, and a tenth faster. */
export const commandLineOptions = '--min-semi-space-size=8'

export function launcherText(paths: LauncherPaths): string {
  const { version, config, tell, gate } = paths
  return `#!/bin/sh
# gocore-sink, written by "gocore-sink install". The kernel calls it with numbers, people call it with words.
case $#/$1 in
[0-5]/* | */ | */*[!0-9]*)
  ${tell ? `GOCORE_SINK_CONFIG=\${GOCORE_SINK_CONFIG:-${config}} ` : ''}exec ${version}/bin/node ${nodeOptions} ${commandLineOptions} ${version}/dist/cli.cjs "$@"
  ;;
esac
${gateText(handlerWords(version), config, gate)}`
}

/** The version directory that a launcher's text names, or undefined for a foreign file. */
export function launcherVersion(text: string): string | undefined {
  return /exec (\S+)\/bin\/node /.exec(text)?.[1]
}
