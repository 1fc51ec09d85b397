/** `pins/ID.json`: the dumps that nothing removes by itself. */
import { lstatSync } from 'node:fs'
import { writeFileAtomic } from '../base/atomic-file.ts'
import type { Rights } from './access.ts'
import { makeDirectories } from './directories.ts'
import { names, readText } from './files.ts'
import type { Layout } from './layout.ts'
import { mostManifest } from './manifest.ts'
import type { Pin } from './store.ts'

/** Of one dump, without a look at all the others. Throws where that can't be told. */
export const isPinned = (layout: Layout, id: string): boolean =>
  lstatSync(layout.pin(id), { throwIfNoEntry: false }) !== undefined

/** By the dumps' ids. */
export function readPins(layout: Layout): Map<string, Pin> {
  const pins = new Map<string, Pin>()
  for (const name of names(layout.pins, /^[a-z2-7]{12}\.json$/)) {
    const id = name.slice(0, 12)
    const pin = readPin(layout, id)
    if (pin !== undefined) pins.set(id, pin)
  }
  return pins
}

/** A pin that can't be read still keeps its dump. */
export function readPin(layout: Layout, id: string): Pin | undefined {
  try {
    const text = readText(layout.pin(id), mostManifest)
    if (text === undefined) return undefined
    const pin = JSON.parse(text) as Pin
    if (typeof pin === 'object' && pin !== null && typeof pin.time === 'string') return pin
  } catch {
    // Falls through to a pin without a time.
  }
  return { time: new Date(0).toISOString() }
}

export function writePin(layout: Layout, id: string, pin: Pin, rights: Rights): void {
  makeDirectories(layout.root, layout.pins, rights.directory)
  writeFileAtomic(layout.pin(id), `${JSON.stringify(pin)}\n`, rights.file)
}
