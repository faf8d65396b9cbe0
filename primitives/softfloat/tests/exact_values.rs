//! What accuracy is measured against, measured: values computed to 60 digits, rounded to binary64.

#[path = "hardware/exact.rs"]
mod exact;

/// `x` as binary32 and `erf(x)`.
const ERF: [(u32, f64); 18] = [
	(0x0000_0001, 1.581195994027058e-45),
	(0x007f_ffff, 1.3264031783867337e-38),
	(0x1e3c_e508, 1.1283791312869893e-20),
	(0x3380_0000, 6.725663942667909e-8),
	(0x3a03_126f, 0.0005641895633295218),
	(0x3dcc_cccd, 0.11246291768297051),
	(0x3e99_999a, 0.32862677175271543),
	(0x3f00_0000, 0.5204998778130465),
	(0x3f7f_ffff, 0.8427007682073785),
	(0x3f80_0000, 0.8427007929497149),
	(0x3f87_fffc, 0.867058095435607),
	(0x3fa6_6666, 0.9340079350125213),
	(0x4000_0000, 0.9953222650189527),
	(0x4020_0000, 0.999593047982555),
	(0x4049_0fdb, 0.9999911238587347),
	(0x4075_3df4, 0.999999940111543),
	(0x4080_0000, 0.9999999845827421),
	(0x40c0_0000, 1.0),
];

/// `x` as binary32, `sin(x)` and `cos(x)`; the first four are the nearest of all to multiples of pi / 2.
const SIN_COS: [(u32, f64, f64); 11] = [
	(0x437c_e5f1, 1.0, -4.185706803757208e-9),
	(0x43fc_e5f1, -8.371413607514415e-9, -1.0),
	(0x4096_cbe4, -0.9999999999999999, 1.1924880454806035e-8),
	(0x474d_246f, 0.9999999999999999, -1.6221329239221883e-8),
	(0x3f49_0fdb, 0.7071067966408575, 0.7071067657322372),
	(0x42f6_e979, -0.8039381308398249, -0.5947129406543704),
	(0x4980_0000, 0.3304931400217347, 0.943808393901312),
	(0x4a60_92fd, 0.59808251847265, -0.8014345270185284),
	(0x4a70_660c, 0.7783106766125785, 0.6278793599656468),
	(0x4a7f_ffff, 0.8899812777851469, 0.45599706708696847),
	(0x4a80_0000, 0.975129394941707, 0.22163633077774125),
];

fn assert_near(name: &str, input: u32, computed: f64, known: f64) {
	let error = ((computed - known) / known).abs();
	assert!(error <= 8.0 * f64::EPSILON, "{name}({input:08x}) = {computed}, which is {known}");
}

#[test]
fn erf_is_exact() {
	for (input, known) in ERF {
		let x = f32::from_bits(input) as f64;
		assert_near("erf", input, exact::erf(x), known);
		assert_near("-erf", input, exact::erf(-x), -known);
	}
	assert!(exact::erf(-0.0).is_sign_negative());
}

#[test]
fn sin_and_cos_are_exact() {
	for (input, sin, cos) in SIN_COS {
		let x = f32::from_bits(input) as f64;
		assert_near("sin", input, exact::sin(x), sin);
		assert_near("cos", input, exact::cos(x), cos);
	}
	assert!(exact::sin(4_194_304.5).is_nan() && exact::cos(-4_194_304.5).is_nan());
}
