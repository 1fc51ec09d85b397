/** A program as large as a tool for clusters and clouds, more than 100 MB of debug information, that dies like a small one. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../.cache/bench-engine')

const services = [
  ...[
    'apigateway',
    'backup',
    'chime',
    'cloudformation',
    'cloudfront',
    'cloudwatch',
    'cognitoidentityprovider',
  ],
  ...['comprehend', 'configservice', 'connect', 'databasemigrationservice', 'dynamodb', 'ec2', 'ecs', 'eks'],
  ...[
    'elasticache',
    'emr',
    'gamelift',
    'glue',
    'greengrass',
    'guardduty',
    'iam',
    'iot',
    'iotsitewise',
    'kendra',
  ],
  ...[
    'lambda',
    'lexmodelsv2',
    'lightsail',
    'medialive',
    'networkmanager',
    'opsworks',
    'organizations',
    'pinpoint',
  ],
  ...[
    'quicksight',
    'rds',
    'redshift',
    'route53',
    's3',
    'sagemaker',
    'securityhub',
    'servicecatalog',
    'ses',
    'sns',
  ],
  ...['sqs', 'ssm', 'storagegateway', 'transcribeservice', 'transfer', 'wafv2', 'workmail', 'workspaces'],
]

const source = `// Command large looks nothing up, and says what it had when it died.
package main

import (
	"fmt"
	"os"
	"reflect"

${services.map(name => `\t"github.com/aws/aws-sdk-go/service/${name}"`).join('\n')}
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

type request struct {
	Name  string
	Count int
	Tags  map[string][]int
}

var requests = []*request{{Name: "first", Count: 1, Tags: map[string][]int{"a": {1, 2}}}}

// A method that is looked up by name keeps all of them in the program.
var parts = []any{${services.map(name => `${name}.New`).join(', ')}, kubernetes.NewForConfig}

//go:noinline
func handle(r *request, config *rest.Config) error {
	if r.Count > 0 {
		panic(fmt.Sprintf("cannot handle %s of %s", r.Name, config.Host))
	}
	for _, part := range parts {
		fmt.Println(reflect.ValueOf(part).MethodByName(os.Args[0]))
	}
	return nil
}

func main() {
	config := &rest.Config{Host: "https://localhost"}
	for _, r := range requests {
		if err := handle(r, config); err != nil {
			fmt.Println(err, r.Name)
		}
	}
}
`

/** The directory of the program \`large\`, built once; undefined, with a line on standard error, where it can't be built. */
export function buildLarge(go: string): string | undefined {
  const dir = join(cache, go)
  mkdirSync(dir, { recursive: true })
  if (existsSync(join(dir, 'large'))) return dir
  writeFileSync(
    join(dir, 'go.mod'),
    'module large\n\ngo 1.26\n\nrequire (\n\tgithub.com/aws/aws-sdk-go v1.55.7\n\tk8s.io/client-go v0.37.2\n)\n',
  )
  writeFileSync(join(dir, 'main.go'), source)
  const env = { ...process.env, GOTOOLCHAIN: `go${go}`, GOFLAGS: '-mod=mod' }
  for (const args of [
    ['mod', 'tidy'],
    ['build', '-buildvcs=false', '-o', 'large', '.'],
  ]) {
    const { status, stderr } = spawnSync('go', args, { cwd: dir, env, encoding: 'utf8' })
    if (status === 0) continue
    process.stderr.write(`go ${args.join(' ')} failed:\n${stderr.split('\n').slice(-5).join('\n')}`)
    return undefined
  }
  return dir
}
