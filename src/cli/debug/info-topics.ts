/** GDB's `info`, by the first letters of what it tells, and the command that tells it here. */
const topics: readonly (readonly [topic: string, command: string])[] = [
  ['args', 'args -v'],
  ['all-registers', 'regs -a'],
  ['frame', 'frame'],
  ['functions', 'funcs'],
  ['goroutines', 'goroutines'],
  ['line', ''],
  ['locals', 'locals -v'],
  ['packages', 'packages'],
  ['registers', ''],
  ['sharedlibrary', 'libraries'],
  ['source', 'list'],
  ['sources', 'sources'],
  ['stack', 'bt'],
  ['symbol', ''],
  ['threads', 'threads'],
  ['types', 'types'],
  ['variables', 'vars'],
]

export const topicNames = topics.map(([name]) => name)
export const isTopic = (word: string): boolean => topicNames.includes(word)

/** The topic that a beginning means and its command, which is empty where info itself answers. */
export function findTopic(text: string): readonly [topic: string, command: string] | undefined {
  if (text === '') return undefined
  return topics.find(([name]) => name === text) ?? topics.find(([name]) => name.startsWith(text))
}
