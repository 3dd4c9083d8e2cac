//! Folder in which the processes of one user exchange files, and operations on these files.
//!
//! Files are opened relative to a folder that was checked when it was opened, so no other can take its place in
//! between. Folders and files of other users, symbolic links, pipes and devices are not opened.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Version of the rules for locks and file names: processes of another version use another folder.
pub(super) const FOLDER_VERSION: u64 = 1;

/// The folder's name without the version.
pub(super) const NAME_PREFIX: &str = "stemlink-";

/// Highest version whose folder is searched for.
const MAX_VERSION: u64 = 9;

/// Entries of a folder that are read: far more than the link's own can be.
const MAX_ENTRIES: usize = 4096;

/// Returns the paths that the folder may have, in order of preference.
pub fn folders() -> Vec<PathBuf> {
    system::folders()
}

/// Returns versions and paths of the folders of other versions beside `path`.
pub(super) fn folders_of_other_versions(path: &Path) -> impl Iterator<Item = (u64, PathBuf)> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let suffix = name.strip_prefix(&format!("{NAME_PREFIX}{FOLDER_VERSION}")).map(str::to_owned);
    let sibling =
        move |version| Some(path.with_file_name(format!("{NAME_PREFIX}{version}{}", suffix.as_ref()?)));
    (1..=MAX_VERSION)
        .filter(|&version| version != FOLDER_VERSION)
        .filter_map(move |version| Some((version, sibling(version)?)))
}

/// Open folder that belongs to the user and that no one else may read.
#[derive(Debug)]
pub(super) struct CheckedDir {
    path: PathBuf,
    handle: system::DirHandle,
}

impl CheckedDir {
    /// Opens the folder; creates it if it does not exist.
    pub(super) fn open_or_create(path: &Path) -> io::Result<Self> {
        match system::create_folder(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Self::open(path),
        }
    }

    /// Opens the folder; `NotFound` if it does not exist, `PermissionDenied` if it belongs to another user.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), handle: system::open_folder(path)? })
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names of its files.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        system::names(&self.handle, MAX_ENTRIES)
    }

    /// Creates a file that only the user may read; `AlreadyExists` if there is one.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        system::create(&self.handle, name)
    }

    /// Creates a file and locks it, where the system allows before it has a name. Elsewhere another process may find it
    /// unlocked for a moment and lock it first (`WouldBlock`).
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

    /// Opens a regular file of the user's; `PermissionDenied` if it is none.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        system::open_file(&self.handle, name)
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        system::remove(&self.handle, name)
    }
}

/// True if the file still has a name.
pub(super) fn has_name(file: &File) -> bool {
    system::has_links(file).unwrap_or(false)
}

/// Fills `bytes` from `offset` on; `UnexpectedEof` if the file is shorter.
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    system::read_at(file, bytes, offset)
}

/// Writes all of `bytes` from `offset` on.
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    system::write_at(file, bytes, offset)
}

#[cfg(unix)]
mod system {
    use super::{FOLDER_VERSION, NAME_PREFIX};
    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
    use rustix::{fs, process};
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::path::{Path, PathBuf};

    pub(super) type DirHandle = OwnedFd;

    pub(super) fn folders() -> Vec<PathBuf> {
        let own = |shared: PathBuf| {
            shared.join(format!("{NAME_PREFIX}{FOLDER_VERSION}-{}", process::geteuid().as_raw()))
        };
        runtime_folder().into_iter().chain([own(temporary_folder())]).collect()
    }

    /// The folder that the session manager made for the user, if there is one. Not on macOS: there a shell may set the
    /// variable, but programs started from the Dock do not see it, and would look elsewhere.
    fn runtime_folder() -> Option<PathBuf> {
        if cfg!(target_os = "macos") {
            return None;
        }
        let runtime =
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute())?;
        Some(runtime.join(format!("{NAME_PREFIX}{FOLDER_VERSION}")))
    }

    /// The user's own temporary folder, asked of the system: a shell's `TMPDIR` may be another one.
    #[cfg(target_os = "macos")]
    fn temporary_folder() -> PathBuf {
        objc2_foundation::NSTemporaryDirectory().to_string().into()
    }

    /// On Linux programs have different temporary folders, but must use the same; elsewhere it is the user's own.
    #[cfg(not(target_os = "macos"))]
    fn temporary_folder() -> PathBuf {
        if cfg!(target_os = "linux") { "/tmp".into() } else { std::env::temp_dir() }
    }

    pub(super) fn create_folder(path: &Path) -> io::Result<()> {
        Ok(fs::mkdir(path, Mode::RWXU)?)
    }

    pub(super) fn open_folder(path: &Path) -> io::Result<DirHandle> {
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

    pub(super) fn names(handle: &DirHandle, max_entries: usize) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(handle)?.take(max_entries) {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    pub(super) fn create(handle: &DirHandle, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(fs::openat(handle, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Creates a file without a name, locks it and gives it the name; `None` if the system cannot.
    #[cfg(target_os = "linux")]
    pub(super) fn create_locked(handle: &DirHandle, name: &str) -> Option<io::Result<File>> {
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
    pub(super) fn create_locked(_: &DirHandle, _: &str) -> Option<io::Result<File>> {
        None
    }

    pub(super) fn open_file(handle: &DirHandle, name: &str) -> io::Result<File> {
        // non-blocking: opening a pipe would wait for its other end
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(handle, name, flags, Mode::empty())?;
        let stat = fs::fstat(&file)?;
        let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if !is_regular || stat.st_uid != process::geteuid().as_raw() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it is not a regular file of the user's",
            ));
        }
        Ok(file.into())
    }

    pub(super) fn remove(handle: &DirHandle, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(handle, name, AtFlags::empty())?)
    }

    pub(super) fn has_links(file: &File) -> io::Result<bool> {
        Ok(file.metadata()?.nlink() > 0)
    }

    pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        file.read_exact_at(bytes, offset)
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }
}

/// Windows: the user's own folder for local data, which other users may not read.
#[cfg(windows)]
mod system {
    use super::{FOLDER_VERSION, NAME_PREFIX};
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::os::windows::fs::{FileExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};

    pub(super) type DirHandle = PathBuf;

    /// `FILE_FLAG_OPEN_REPARSE_POINT`: opens a symbolic link, not what it points to.
    const NO_FOLLOW: u32 = 0x0020_0000;

    pub(super) fn folders() -> Vec<PathBuf> {
        let local = std::env::var_os("LOCALAPPDATA").map_or_else(std::env::temp_dir, PathBuf::from);
        vec![local.join(format!("{NAME_PREFIX}{FOLDER_VERSION}"))]
    }

    pub(super) fn create_folder(path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    pub(super) fn open_folder(path: &Path) -> io::Result<DirHandle> {
        if !fs::symlink_metadata(path)?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
        }
        Ok(path.to_owned())
    }

    pub(super) fn names(handle: &DirHandle, max_entries: usize) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(handle)?.take(max_entries);
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    pub(super) fn create(handle: &DirHandle, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(handle.join(name))
    }

    pub(super) fn create_locked(_: &DirHandle, _: &str) -> Option<io::Result<File>> {
        None
    }

    pub(super) fn open_file(handle: &DirHandle, name: &str) -> io::Result<File> {
        let file = OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(handle.join(name))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a regular file"));
        }
        Ok(file)
    }

    pub(super) fn remove(handle: &DirHandle, name: &str) -> io::Result<()> {
        fs::remove_file(handle.join(name))
    }

    /// An open file can be removed here too: it loses its name at once, or, while the removal is pending, its last link.
    pub(super) fn has_links(file: &File) -> io::Result<bool> {
        Ok(winapi_util::file::information(file)?.number_of_links() > 0)
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
