//! The check of one op against the referee.

pub(crate) use assay_cuda::cases::{f32s, i32s, i8s, Given};
use assay_cuda::{
	cases::{compare, Case, CONTEXT},
	Backend, CudaError, Device,
};
use assay_program::{OpGeometry, OpKind, OperandSpec, StepContext, TensorSpec};
use assay_referee::{run_op, whole};

/// An error as the reason why a check fails.
pub(crate) fn text(error: CudaError) -> String {
	error.to_string()
}

/// The output as the referee has it.
pub(crate) fn referee(case: &Case) -> Result<Vec<u32>, String> {
	let spec = |given: &Given| match given {
		Given::Tensor(spec, _, data) => OperandSpec::Tensor { spec: *spec, data: *data },
		Given::Scalar(bits) => OperandSpec::Scalar(*bits),
	};
	let specs: Vec<OperandSpec> = case.given.iter().map(spec).collect();
	let geometry =
		OpGeometry::new(case.kind, specs, case.output, case.output.rows).map_err(|error| format!("{error:?}"))?;
	let inputs: Vec<whole::Input<'_>> = case.given.iter().map(input).collect();
	let context = StepContext { seed: CONTEXT.seed, step: CONTEXT.step };
	run_op(&geometry, &inputs, &context).map_err(|error| format!("{error:?}"))
}

fn input(given: &Given) -> whole::Input<'_> {
	match given {
		Given::Tensor(_, bits, _) => whole::Input::Tensor(bits),
		Given::Scalar(bits) => whole::Input::Scalar(*bits),
	}
}

/// Runs the op on every device: the bits, whether it fails, and that it leaves its inputs alone.
pub(crate) fn check<D: Device>(
	devices: &[Backend<D>],
	kind: OpKind,
	given: &[Given],
	output: TensorSpec,
) -> Result<(), String> {
	let case = Case { kind, given: given.to_vec(), output };
	compare(devices, &case, &referee(&case)?)
}
