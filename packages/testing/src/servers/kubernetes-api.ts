/** What `kubectl` asks first: which API there is. Undefined for a path that is not about that. */
export function apiDocument(path: string): object | undefined {
  return documents.get(path);
}

interface Kind {
  readonly name: string;
  readonly kind: string;
}

const groups: Readonly<Record<string, readonly Kind[]>> = {
  v1: [
    { name: 'services', kind: 'Service' },
    { name: 'secrets', kind: 'Secret' },
    { name: 'serviceaccounts', kind: 'ServiceAccount' },
  ],
  'apps/v1': [
    { name: 'deployments', kind: 'Deployment' },
    { name: 'statefulsets', kind: 'StatefulSet' },
  ],
  'rbac.authorization.k8s.io/v1': [
    { name: 'roles', kind: 'Role' },
    { name: 'rolebindings', kind: 'RoleBinding' },
  ],
  'discovery.k8s.io/v1': [{ name: 'endpointslices', kind: 'EndpointSlice' }],
  'discovery.k8s.io/v1beta1': [{ name: 'endpointslices', kind: 'EndpointSlice' }],
};

const named = Object.keys(groups).filter((version) => version.includes('/'));
const groupNames = [...new Set(named.map((version) => version.split('/')[0] ?? ''))];

const documents: ReadonlyMap<string, object> = new Map<string, object>([
  ['/version', { major: '1', minor: '20', gitVersion: 'v1.20.0' }],
  ['/api', { kind: 'APIVersions', versions: ['v1'] }],
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames.map(groupOf) }],
  ...Object.entries(groups).map(([version, kinds]): [string, object] => [
    version === 'v1' ? '/api/v1' : `/apis/${version}`,
    resourcesOf(version, kinds),
  ]),
]);

function groupOf(name: string): object {
  const versions = named
    .filter((each) => each.startsWith(`${name}/`))
    .map((groupVersion) => ({ groupVersion, version: groupVersion.split('/')[1] }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourcesOf(groupVersion: string, kinds: readonly Kind[]): object {
  const resources = kinds.map((each) => ({
    ...each,
    singularName: '',
    namespaced: true,
    verbs: ['create', 'get', 'list', 'watch'],
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}
