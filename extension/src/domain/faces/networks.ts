/** What finding and describing faces asks of whoever runs the networks. */

export type NetworkName = "yunet" | "centerface" | "mfn192" | "sface";

export interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface Networks {
  /** Run a network on one batch `(n, 3, height, width)`; its outputs come in the order of its model card. */
  run(name: NetworkName, input: Tensor): Promise<readonly Tensor[]>;
}
