export declare const charts: Readonly<Record<string, object>>;
export declare function drawn(chart: object, runs: readonly unknown[]): string;
