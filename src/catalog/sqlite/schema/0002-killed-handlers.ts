/** Dumps whose handlers were killed are looked at again with each scan. */
export const killedHandlers = `
CREATE INDEX crash_killed_handler ON crash (time, id) WHERE core_reason = 'handler-error';
`
