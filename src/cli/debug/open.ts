/** Opens a debugger over a target, and puts it where the options say. */

import { UsageError } from '../../base/errors.ts'
import { openDebugger } from '../../engine/index.ts'
import { loadDisassembler } from '../disassembler.ts'
import type { InspectContext } from '../inspect/context.ts'
import { openSources, type PlaceArgs, type SourceArgs } from '../inspect/open.ts'
import { lookOf } from '../render/style.ts'
import type { Target } from '../target.ts'
import type { Settings } from './settings.ts'
import { keptSettings } from './settings-file.ts'
import { DebugState } from './state.ts'

/** Throws NotFoundError where there is no such goroutine, thread or frame. */
export async function openState(
  target: Target,
  { settings, place = {} }: { settings?: Partial<Settings>; place?: PlaceArgs & SourceArgs } = {},
): Promise<DebugState> {
  const session = await target.session()
  const symbols = await target.symbols()
  const state = new DebugState({
    debugger: openDebugger(session.process, { debugInfoFor: symbols.debugInfoFor }),
    label: target.label,
    ...(target.id === undefined ? {} : { id: target.id }),
    look: lookOf(process.stdout),
    sources: openSources(session.process, place, session.diedAt),
    disassembler: loadDisassembler,
    settings: { ...keptSettings(), ...settings },
  })
  choosePlace(state, place)
  return state
}

/** The same for a verb that looks once: what it sees from there. */
export async function openContext(target: Target, place?: PlaceArgs & SourceArgs): Promise<InspectContext> {
  return (await openState(target, place ? { place } : {})).inspect()
}

export function choosePlace(state: DebugState, { goroutine, thread, frame }: PlaceArgs): void {
  if (goroutine !== undefined && thread !== undefined)
    throw new UsageError('One looks from a goroutine or from a thread, not from both.')
  if (goroutine !== undefined) state.position = state.placeOf({ kind: 'goroutine', id: goroutine })
  if (thread !== undefined) state.position = state.placeOf({ kind: 'thread', tid: thread })
  if (frame !== undefined) state.position = { ...state.position, frame: state.frameNamed(frame) }
}
