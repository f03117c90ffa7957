//! Files for secrets: of their owner only, whole or not there, and nothing is overwritten unasked.

use super::Failure;
use crate::BadInput;
use alloy_primitives::hex;
use rand_core::TryRng;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};
use symbolon::SysRng;
use zeroize::Zeroizing;

/// No file that is read here is larger.
const MAX_FILE: u64 = 1 << 20;

/// Writes a file of mode 0600. With `force` it takes the place of another one.
///
/// The bytes go into a temporary file beside it, and are on the disk before the name is: a crash leaves the old file or the new
/// one, and at worst a temporary file, which nobody reads.
pub(super) fn write(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    let exists = || {
        let shown = path.display();
        BadInput::new(format!("{shown} exists: choose another name, or overwrite it with --force"))
    };
    if !force && path.symlink_metadata().is_ok() {
        return Err(exists().into());
    }
    let temporary = temporary(path)?;
    let written = create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| if force { fs::rename(&temporary, path) } else { claim(&temporary, path) });
    match moved {
        Ok(()) => Ok(sync(path).map_err(|e| cannot("write", path, &e))?),
        Err(e) => {
            // whatever is left of it
            let _ = fs::remove_file(&temporary);
            if !force && e.kind() == ErrorKind::AlreadyExists {
                Err(exists().into())
            } else {
                Err(cannot("write", path, &e).into())
            }
        }
    }
}

/// Gives the file its name, unless somebody was faster.
fn claim(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Ok(()) => fs::remove_file(temporary),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(e),
        Err(_) => claim_without_links(temporary, path),
    }
}

/// The same on memory sticks, which have no links: the name first, with nothing behind it for a moment.
fn claim_without_links(temporary: &Path, path: &Path) -> io::Result<()> {
    create(path)?;
    fs::rename(temporary, path)
}

/// In the same directory, so that it can be renamed; with a fresh name, so that what a crash has left is in nobody's way.
fn temporary(path: &Path) -> Result<PathBuf, Failure> {
    let name = path.file_name().ok_or_else(|| BadInput::new(format!("{} is no name of a file", path.display())))?;
    let mut fresh = [0; 8];
    SysRng.try_fill_bytes(&mut fresh)?;
    Ok(path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), hex::encode(fresh))))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The new name is on the disk, too.
fn sync(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory(path))?.sync_all() } else { Ok(()) }
}

/// Where a file is.
pub(super) fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a directory of mode 0700, which must not exist.
pub(super) fn make_directory(path: &Path) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| {
        let shown = path.display();
        BadInput::new(match e.kind() {
            ErrorKind::AlreadyExists => format!("{shown} exists: choose another directory"),
            _ => format!("cannot make {shown}: {e}"),
        })
    })?;
    Ok(sync(path).map_err(|e| cannot("write", path, &e))?)
}

/// Reads a file, which may be secret.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, BadInput> {
    let shown = path.display();
    let reading = |e| cannot("read", path, &e);
    let file = File::open(path).map_err(reading)?;
    let len = file.metadata().map_err(reading)?.len();
    // reserved, so that no copy stays behind when it grows
    let reserved = usize::try_from(len.min(MAX_FILE)).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(reserved));
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(reading)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_FILE) {
        return Err(BadInput::new(format!("{shown} is larger than 1 MiB")));
    }
    Ok(bytes)
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<Zeroizing<String>, BadInput> {
    let bytes = read(path)?;
    let text = str::from_utf8(&bytes).map_err(|_| BadInput::new(format!("{} is not text", path.display())))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The first line of a file, without its end.
pub(super) fn first_line(path: &Path) -> Result<Zeroizing<String>, BadInput> {
    let text = read_text(path)?;
    let line = text.lines().next().filter(|line| !line.is_empty());
    let line = line.ok_or_else(|| BadInput::new(format!("the first line of {} is empty", path.display())))?;
    Ok(Zeroizing::new(line.to_owned()))
}

/// 32 bytes in hexadecimal digits; lines that begin with # are comments.
pub(super) fn read_hex(path: &Path) -> Result<Zeroizing<[u8; 32]>, BadInput> {
    let text = read_text(path)?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut bytes = Zeroizing::new([0; 32]);
    let read = lines.next().map(|line| hex::decode_to_slice(line.trim(), bytes.as_mut_slice()));
    match (read, lines.next()) {
        (Some(Ok(())), None) => Ok(bytes),
        _ => Err(BadInput::new(format!("{} does not have one line of 64 hexadecimal digits", path.display()))),
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> BadInput {
    BadInput::new(format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_claimed_once_with_links_and_without() {
        for (how, claim) in [("links", claim as fn(&Path, &Path) -> _), ("without", claim_without_links)] {
            let mut fresh = [0; 8];
            SysRng.try_fill_bytes(&mut fresh).unwrap();
            let directory = std::env::temp_dir().join(format!("symbolon-{how}-{}", hex::encode(fresh)));
            make_directory(&directory).unwrap();
            let [one, other, path] = ["one", "other", "path"].map(|name| directory.join(name));
            fs::write(&one, "one").unwrap();
            fs::write(&other, "other").unwrap();
            claim(&one, &path).unwrap();
            assert_eq!(claim(&other, &path).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&path).unwrap(), b"one");
            assert!(!one.exists() && other.exists());
            fs::remove_dir_all(directory).unwrap();
        }
    }
}
