//! The folder in which the processes of one user meet, and the files in it.
//!
//! Everything is opened relative to a folder that was checked once, so that nobody can put another in its place
//! meanwhile. What does not belong to the user, is no ordinary file, or is a symbolic link, is not opened.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The protocol between processes: another version meets in another folder.
pub(super) const VERSION: u64 = 1;

/// The beginning of the folder's name, without the version.
pub(super) const NAME: &str = "stemlink-";

/// Versions that are looked for.
const VERSIONS: u64 = 9;

/// Entries of a folder that are looked at: far more than there can be of ours.
const ENTRIES: usize = 4096;

/// Where the folder may be, the best first.
pub fn places() -> Vec<PathBuf> {
    system::places()
}

/// Where the processes of other versions meet, for those that meet in `place`: version and folder.
pub(super) fn others(place: &Path) -> impl Iterator<Item = (u64, PathBuf)> {
    let name = place.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let rest = name.strip_prefix(&format!("{NAME}{VERSION}")).map(str::to_owned);
    let sibling = move |version| Some(place.with_file_name(format!("{NAME}{version}{}", rest.as_ref()?)));
    (1..=VERSIONS)
        .filter(|&version| version != VERSION)
        .filter_map(move |version| Some((version, sibling(version)?)))
}

/// The folder, open.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    handle: system::Handle,
}

impl Folder {
    /// Opens the folder, making it if need be.
    pub(super) fn open_or_make(path: &Path) -> io::Result<Self> {
        match system::make_folder(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Self::open(path),
        }
    }

    /// Opens the folder if it is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), handle: system::open_folder(path)? })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names in it.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        system::names(&self.handle, ENTRIES)
    }

    /// Makes a file that only the user may read and that was not there.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        system::create(&self.handle, name)
    }

    /// Makes a file that was not there and locks it, where the system allows before anybody can see it; elsewhere
    /// somebody may find it unlocked for a moment, and then locks it himself (`WouldBlock`).
    pub(super) fn create_locked(&self, name: &str) -> io::Result<File> {
        if let Some(file) = system::create_locked(&self.handle, name) {
            return file;
        }
        let file = self.create(name)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => {
                self.remove(name)?;
                Err(error)
            }
        }
    }

    /// Opens an ordinary file of the user's.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        system::open_file(&self.handle, name)
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        system::remove(&self.handle, name)
    }
}

/// Whether the file still has a name.
pub(super) fn is_in_place(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| system::has_name(&metadata))
}

/// Reads all of `bytes` at `offset`; `UnexpectedEof` if the file is shorter.
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    system::read_at(file, bytes, offset)
}

/// Writes all of `bytes` at `offset`.
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    system::write_at(file, bytes, offset)
}

#[cfg(unix)]
mod system {
    use super::{NAME, VERSION};
    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
    use rustix::{fs, process};
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::{Path, PathBuf};

    pub(super) type Handle = OwnedFd;

    pub(super) fn places() -> Vec<PathBuf> {
        let runtime =
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let runtime = runtime.map(|path| path.join(format!("{NAME}{VERSION}")));
        // on Linux programs differ in what they call temporary, but must meet; elsewhere it is the user's own
        let shared = if cfg!(target_os = "linux") { "/tmp".into() } else { std::env::temp_dir() };
        let own = shared.join(format!("{NAME}{VERSION}-{}", process::geteuid().as_raw()));
        runtime.into_iter().chain([own]).collect()
    }

    pub(super) fn make_folder(path: &Path) -> io::Result<()> {
        Ok(fs::mkdir(path, Mode::RWXU)?)
    }

    pub(super) fn open_folder(path: &Path) -> io::Result<Handle> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = fs::open(path, flags, Mode::empty())?;
        let stat = fs::fstat(&handle)?;
        if stat.st_uid != process::geteuid().as_raw() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
        }
        if stat.st_mode & 0o077 != 0 {
            fs::fchmod(&handle, Mode::RWXU)?;
        }
        Ok(handle)
    }

    pub(super) fn names(handle: &Handle, most: usize) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(handle)?.take(most) {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    pub(super) fn create(handle: &Handle, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(fs::openat(handle, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// A file that is nameless until it is locked; `None` if the system cannot.
    #[cfg(target_os = "linux")]
    pub(super) fn create_locked(handle: &Handle, name: &str) -> Option<io::Result<File>> {
        use std::os::fd::AsRawFd;
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let file = File::from(fs::openat(handle, c".", flags, Mode::RUSR | Mode::WUSR).ok()?);
        file.try_lock().ok()?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        match fs::linkat(fs::CWD, path.as_str(), handle, name, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => Some(Ok(file)),
            Err(rustix::io::Errno::EXIST) => Some(Err(io::ErrorKind::AlreadyExists.into())),
            // no /proc
            Err(_) => None,
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn create_locked(_: &Handle, _: &str) -> Option<io::Result<File>> {
        None
    }

    pub(super) fn open_file(handle: &Handle, name: &str) -> io::Result<File> {
        // non-blocking: opening a pipe would wait for its other end
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(handle, name, flags, Mode::empty())?;
        let stat = fs::fstat(&file)?;
        let ordinary = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if !ordinary || stat.st_uid != process::geteuid().as_raw() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it is no ordinary file of the user's",
            ));
        }
        Ok(file.into())
    }

    pub(super) fn remove(handle: &Handle, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(handle, name, AtFlags::empty())?)
    }

    pub(super) fn has_name(metadata: &Metadata) -> bool {
        metadata.nlink() > 0
    }

    pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        file.read_exact_at(bytes, offset)
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }
}

/// Windows: the user's own folder for local data, which others may not read.
#[cfg(windows)]
mod system {
    use super::{NAME, VERSION};
    use std::fs::{self, File, Metadata, OpenOptions};
    use std::io;
    use std::os::windows::fs::{FileExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};

    pub(super) type Handle = PathBuf;

    /// `FILE_FLAG_OPEN_REPARSE_POINT`: opens a symbolic link, not what it points to.
    const NO_FOLLOW: u32 = 0x0020_0000;

    pub(super) fn places() -> Vec<PathBuf> {
        let local = std::env::var_os("LOCALAPPDATA").map_or_else(std::env::temp_dir, PathBuf::from);
        vec![local.join(format!("{NAME}{VERSION}"))]
    }

    pub(super) fn make_folder(path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    pub(super) fn open_folder(path: &Path) -> io::Result<Handle> {
        if !fs::symlink_metadata(path)?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no folder"));
        }
        Ok(path.to_owned())
    }

    pub(super) fn names(handle: &Handle, most: usize) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(handle)?.take(most);
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    pub(super) fn create(handle: &Handle, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(handle.join(name))
    }

    pub(super) fn create_locked(_: &Handle, _: &str) -> Option<io::Result<File>> {
        None
    }

    pub(super) fn open_file(handle: &Handle, name: &str) -> io::Result<File> {
        let file = OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(handle.join(name))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is no ordinary file"));
        }
        Ok(file)
    }

    pub(super) fn remove(handle: &Handle, name: &str) -> io::Result<()> {
        fs::remove_file(handle.join(name))
    }

    pub(super) fn has_name(_: &Metadata) -> bool {
        // an open file cannot lose its name here
        true
    }

    pub(super) fn read_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let read = file.seek_read(bytes, offset)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            (bytes, offset) = (&mut bytes[read..], offset + read as u64);
        }
        Ok(())
    }

    pub(super) fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = file.seek_write(bytes, offset)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            (bytes, offset) = (&bytes[written..], offset + written as u64);
        }
        Ok(())
    }
}
