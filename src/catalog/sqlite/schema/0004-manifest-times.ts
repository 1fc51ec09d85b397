/** When the manifest that a row was made of was written, so that a changed one is known without reading it. */
export const manifestTimes = `
ALTER TABLE crash ADD COLUMN manifest_time REAL;
`
