/** What gdb answers to commands over a core, each on its own, as it is without anybody's configuration. */
import { spawnSync } from 'node:child_process'

const mark = '@@ answer @@'

/** Undefined where gdb is not installed. */
export function gdbAnswers(
  { core, executable }: { core: string; executable: string },
  commands: readonly string[],
): string[] | undefined {
  const args = commands.flatMap(command => ['-ex', `echo \\n${mark}\\n`, '-ex', command])
  const settings = ['set width 0', 'set height 0', 'set print elements 0', 'set debuginfod enabled off']
  const { error, stdout } = spawnSync(
    'gdb',
    ['-q', '-nx', '-batch', ...settings.flatMap(text => ['-iex', text]), ...args, executable, core],
    { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' }, maxBuffer: 1 << 26 },
  )
  return error ? undefined : stdout.split(`\n${mark}\n`).slice(1)
}

export const haveGdb = (): boolean => !spawnSync('gdb', ['--version']).error
