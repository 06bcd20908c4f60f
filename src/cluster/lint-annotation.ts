/** The annotation that `k8snet lint` reads: `CODE: reason; CODE: reason`. */
export const LINT_IGNORE = 'k8snet/lint-ignore';
