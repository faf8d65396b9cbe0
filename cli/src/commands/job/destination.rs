//! The folder that a result is written to: tried before anything is computed.

use assay_cli::Error;
use std::path::{Path, PathBuf};

/// Makes `folder`, and fails if nothing can be written into it or if it is, or holds, one of the files that the job reads.
pub(crate) fn prepare(folder: &Path, inputs: &[PathBuf]) -> Result<(), Error> {
	let wrong = |problem: String| Error::Destination { path: folder.display().to_string(), problem };
	for target in [folder.to_path_buf(), folder.join("model")] {
		let Ok(real) = target.canonicalize() else { continue };
		let mut read = inputs.iter().filter_map(|input| Some((input, input.canonicalize().ok()?)));
		if let Some((input, _)) = read.find(|(_, input)| input.starts_with(&real)) {
			return Err(wrong(format!("the job reads {} from there, which could be overwritten", input.display())));
		}
		if !real.is_dir() {
			return Err(wrong(format!("{} is a file", target.display())));
		}
	}
	std::fs::create_dir_all(folder).map_err(|error| wrong(error.to_string()))?;
	for target in [folder.to_path_buf(), folder.join("model")].iter().filter(|target| target.is_dir()) {
		let probe = target.join(".assay-probe");
		std::fs::write(&probe, "")
			.and_then(|()| std::fs::remove_file(&probe))
			.map_err(|error| wrong(error.to_string()))?;
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_the_job_reads_is_not_written_over() {
		let folder = tempfile::tempdir().unwrap();
		let at = |name: &str| folder.path().join(name);
		std::fs::create_dir_all(at("out/model")).unwrap();
		std::fs::create_dir_all(at("data")).unwrap();
		std::fs::write(at("data/a.csv"), "1,0\n").unwrap();
		std::os::unix::fs::symlink(at("out"), at("link")).unwrap();
		let refused = |to: &str, input: &str| match prepare(&at(to), &[at(input)]) {
			Err(Error::Destination { problem, .. }) => assert!(problem.contains(input), "{problem}"),
			other => panic!("{to}, {input}: {other:?}"),
		};
		refused("out", "out/model");
		refused("out", "out");
		refused("link", "out/model");
		refused("data", "data/a.csv");
		refused("out/model", "out/model");
		assert!(prepare(&at("out"), &[at("data/a.csv")]).is_ok());
		assert!(prepare(&at("out/model/new"), &[at("out/model")]).is_ok());
	}

	#[test]
	fn a_folder_is_made_and_tried() {
		let folder = tempfile::tempdir().unwrap();
		let at = |name: &str| folder.path().join(name);
		prepare(&at("a/b"), &[]).unwrap();
		assert_eq!(std::fs::read_dir(at("a/b")).unwrap().count(), 0);
		std::fs::write(at("file"), "").unwrap();
		for to in ["file", "file/below"] {
			let text = prepare(&at(to), &[]).unwrap_err().to_string();
			assert!(text.contains("name another folder with --out"), "{text}");
		}
	}
}
