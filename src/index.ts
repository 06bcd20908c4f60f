/** The public API: what a program that imports k8snet may rely on. */
export {};
