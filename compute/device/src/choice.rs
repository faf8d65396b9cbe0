//! What an operator may ask for.

use core::{fmt, str::FromStr};

/// What to compute on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
	/// The first CUDA device that conforms, or else the CPU.
	Auto,
	/// The CPU: no card earns before its owner has tried it.
	#[default]
	Cpu,
	/// A CUDA device by its number, or the first that conforms.
	Cuda(Option<u32>),
}

/// The text names no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use auto, cpu, cuda, or cuda:N with the device's number from 0")]
pub struct NoSuchChoice;

impl FromStr for DeviceChoice {
	type Err = NoSuchChoice;

	fn from_str(text: &str) -> Result<Self, NoSuchChoice> {
		match text {
			"auto" => Ok(Self::Auto),
			"cpu" => Ok(Self::Cpu),
			"cuda" => Ok(Self::Cuda(None)),
			_ => {
				let number = text.strip_prefix("cuda:").filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
				let number = number.ok_or(NoSuchChoice)?.parse().map_err(|_| NoSuchChoice)?;
				Ok(Self::Cuda(Some(number)))
			}
		}
	}
}

impl fmt::Display for DeviceChoice {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Auto => f.write_str("auto"),
			Self::Cpu => f.write_str("cpu"),
			Self::Cuda(None) => f.write_str("cuda"),
			Self::Cuda(Some(number)) => write!(f, "cuda:{number}"),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn choices_are_read_and_written() {
		for (text, choice) in [
			("auto", DeviceChoice::Auto),
			("cpu", DeviceChoice::Cpu),
			("cuda", DeviceChoice::Cuda(None)),
			("cuda:0", DeviceChoice::Cuda(Some(0))),
			("cuda:12", DeviceChoice::Cuda(Some(12))),
		] {
			assert_eq!(text.parse(), Ok(choice));
			assert_eq!(choice.to_string(), text);
		}
		for text in ["", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "cuda: 1", "cuda:99999999999", "cuda0"]
		{
			assert_eq!(text.parse::<DeviceChoice>(), Err(NoSuchChoice), "{text}");
		}
	}
}
