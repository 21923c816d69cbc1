// The errors of this package. Each can be told apart by its class, or by its code where an application has two copies of the package.

/** What this package throws. */
export class TenantError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** There is no tenant: no open scope, or a value that is no tenant's id. */
export class TenantMissingError extends TenantError {
  constructor(message: string) {
    super('ROWFENCE_TENANT_MISSING', message);
  }
}

/** A scope names another tenant than the scope around it. */
export class TenantMismatchError extends TenantError {
  constructor(message: string) {
    super('ROWFENCE_TENANT_MISMATCH', message);
  }
}

/** A statement or transaction is not possible in a scope, or the server has rolled the scope back. */
export class TenantScopeError extends TenantError {
  constructor(message: string, options?: ErrorOptions) {
    super('ROWFENCE_TENANT_SCOPE', message, options);
  }
}

/** A job that runs for each tenant failed for some of them. What it did for the others is committed. */
export class TenantJobError extends TenantError {
  constructor(
    /** What was thrown, by tenant. */
    readonly failures: ReadonlyMap<string, unknown>,
    /** For how many tenants it did not fail. */
    readonly succeeded: number,
  ) {
    const [first] = failures;
    const why = first && first[1] instanceof Error ? first[1].message : String(first?.[1]);
    super(
      'ROWFENCE_TENANT_JOB',
      `the job failed for ${failures.size} of ${failures.size + succeeded} tenants; first for ${JSON.stringify(first?.[0])}: ${why}`,
      { cause: first?.[1] },
    );
  }
}

/** The error of this package that another library has wrapped, as Drizzle does: the error itself or one of its causes. */
export function tenantErrorOf(error: unknown): TenantError | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth++) {
    if (cause instanceof TenantError) return cause;
  }
  return undefined;
}
