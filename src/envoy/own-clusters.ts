/** The cluster of an Envoy that is its control plane. */
export const xdsClusterName = 'xds';

/** The cluster of an Envoy that is its own admin interface. */
export const adminClusterName = 'envoy_admin';
