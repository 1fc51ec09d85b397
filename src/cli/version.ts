/** The product's version, of package.json; the build puts it into the bundle. */
import metadata from '../../package.json' with { type: 'json' }

export const version: string = metadata.version
