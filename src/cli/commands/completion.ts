/** `completion`: scripts that complete verbs, options and ids. */
import { define } from '../define.ts'
import { writeAll } from '../render/output.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('completion')

const shells = ['bash', 'zsh', 'fish'] as const

export const builder = define({
  positionals: { shell: { describe: 'which shell', choices: shells } },
  examples: [
    ['source <(gocore-sink completion bash)', 'in this bash'],
    ['gocore-sink completion zsh > /usr/local/share/zsh/site-functions/_gocore-sink', 'for all of zsh'],
    ['gocore-sink completion fish > ~/.config/fish/completions/gocore-sink.fish', 'for fish'],
  ],
})

export async function handler(argv: { shell: (typeof shells)[number] }): Promise<void> {
  const { commandTable } = await import('../completion/table.ts')
  const makers = {
    bash: async () => (await import('../completion/bash.ts')).bashCompletion,
    zsh: async () => (await import('../completion/zsh.ts')).zshCompletion,
    fish: async () => (await import('../completion/fish.ts')).fishCompletion,
  }
  const make = await makers[argv.shell]()
  writeAll(1, Buffer.from(make(await commandTable())))
}
