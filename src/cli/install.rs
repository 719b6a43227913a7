//! `install` and `uninstall`: the program as a service of systemd, on any distribution that has it.
//!
//! Everything that is written is in [`Place`]; running it again brings program and unit up to date and touches neither
//! configuration nor data. With `--root` a folder is prepared that will be some machine's `/`: nothing is started then.
//! Uninstalling leaves configuration, key, data and the user who owns it.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, bail};
use serde_json::json;

use super::init::{self, CONFIG_FILE, DATA_FOLDER, Setup, put};
use super::{Ended, Session};
use crate::config as configuration;

const UNIT: &str = include_str!("../../systemd/qantara.service");
const UNIT_FILE: &str = "/etc/systemd/system/qantara.service";
const PROGRAM: &str = "/usr/local/bin/qantara";
const SERVICE: &str = "qantara.service";
/// Owns the data; named in the unit.
const USER: &str = "qantara";

#[derive(clap::Args)]
pub(super) struct Install {
    /// Prepare this folder instead of the machine itself, and start nothing
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
    /// Put everything in place, but start nothing
    #[arg(long)]
    no_start: bool,
    #[command(flatten)]
    setup: Setup,
}

#[derive(clap::Args)]
pub(super) struct Uninstall {
    /// As with install
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
}

/// The folder that is, or will be, `/`.
struct Place {
    root: PathBuf,
}

impl Install {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        self.setup.demand_the_places_of_the_service()?;
        let place = Place::new(&self.root)?;
        let is_here = place.is_this_machine();
        let mut said = vec![place.put_program()?];
        place.make_user()?;
        let file = session.config_file.clone().unwrap_or_else(|| CONFIG_FILE.into());
        if file != Path::new(CONFIG_FILE) {
            bail!("--config is {}: the service reads {CONFIG_FILE}, leave --config out", file.display());
        }
        demand_the_folder_of_the_service(session, &place.inside(CONFIG_FILE))?;
        let is_running = is_here && is_active();
        // Of a running server the folder is locked, and it has all that init would make.
        let made = if is_running { None } else { Some(self.setup.make(session, &file, &place.root)?) };
        if let Some(made) = &made {
            said.extend(made.said.iter().cloned());
            place.give_to_user(&made.config.data.folder)?;
        }
        said.extend(place.put_unit()?);
        let begun = (is_here && !self.no_start).then(start);
        said.push(match &begun {
            Some(Ok(())) => "The service runs, and starts with the machine".to_owned(),
            Some(Err(_)) => "Everything is in place, but the service does not start".to_owned(),
            None => format!("Nothing was started; later: systemctl enable --now {SERVICE}"),
        });
        if let Some(made) = &made {
            said.extend(made.owner_words());
            said.extend(init::next_steps(&made.config, true));
        }
        let mut value = made.as_ref().map_or_else(|| json!({}), |made| made.value(&file));
        value["started"] = matches!(begun, Some(Ok(()))).into();
        // Also when it does not start: the owner's password is told here and never again.
        session.out.say(&value, || said.join("\n"))?;
        begun.unwrap_or(Ok(()))?;
        Ok(Ended::Fine)
    }
}

/// A configuration that is there may name other places than the unit lets the service into.
fn demand_the_folder_of_the_service(session: &Session, file: &Path) -> anyhow::Result<()> {
    if !file.exists() {
        return Ok(());
    }
    let folder = configuration::load(Some(file), session.environment.iter().cloned())?.data.folder;
    if folder != Path::new(DATA_FOLDER) {
        bail!("data.folder is {} in {CONFIG_FILE}: the service works in {DATA_FOLDER} only", folder.display());
    }
    Ok(())
}

fn start() -> anyhow::Result<()> {
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", SERVICE])?;
    systemctl(&["restart", SERVICE]).map_err(|error| {
        let lines = Command::new("journalctl").args(["-u", SERVICE, "-n", "5", "--no-pager", "-o", "cat"]).output();
        let lines = lines.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        anyhow!("{error}\nIts last words:\n{lines}More: journalctl -u qantara -n 30, and qantara doctor. Then once more: qantara install")
    })
}

impl Uninstall {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let place = Place::new(&self.root)?;
        let unit = place.inside(UNIT_FILE);
        if place.is_this_machine() && unit.exists() {
            systemctl(&["disable", "--now", SERVICE])?;
        }
        let mut removed = Vec::new();
        for file in [unit, place.inside(PROGRAM)] {
            match fs::remove_file(&file) {
                Ok(()) => removed.push(file.display().to_string()),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("Cannot remove {}", file.display())),
            }
        }
        if place.is_this_machine() {
            systemctl(&["daemon-reload"])?;
        }
        session.out.say(&json!({ "removed": removed }), || {
            let done = if removed.is_empty() {
                "Nothing was installed".into()
            } else {
                format!("Removed {}", removed.join(", "))
            };
            format!(
                "{done}\nStill there: {} and {} (orders, books, the master key). They are the only proof of what was \
                 booked; remove them by hand if that is meant",
                place.inside("/etc/qantara").display(),
                place.inside("/var/lib/qantara").display()
            )
        })?;
        Ok(Ended::Fine)
    }
}

impl Place {
    fn new(root: &Path) -> anyhow::Result<Self> {
        let root =
            root.canonicalize().with_context(|| format!("--root is {}: there is no such folder", root.display()))?;
        let place = Self { root };
        // Whoever may not write there may not install; the folder exists on every Linux.
        if fs::metadata("/proc/self").is_ok_and(|me| me.uid() != 0) {
            bail!("Only root may install a service. Run: sudo qantara install");
        }
        if place.is_this_machine() {
            demand_systemd()?;
        }
        Ok(place)
    }

    /// Puts the unit in its place. One that somebody changed is kept beside it.
    fn put_unit(&self) -> anyhow::Result<Vec<String>> {
        let file = self.inside(UNIT_FILE);
        let failed = || format!("Cannot write {}", file.display());
        let mut said = Vec::new();
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).with_context(failed)?;
        if fs::read_to_string(&file).is_ok_and(|there| there != UNIT) {
            let kept = file.with_added_extension("before");
            fs::copy(&file, &kept).with_context(failed)?;
            said.push(format!(
                "The unit was another one and is kept as {}: what was added to it belongs into a drop-in \
                 (systemctl edit qantara)",
                kept.display()
            ));
        }
        put(&file, UNIT).with_context(failed)?;
        said.push(format!("Wrote {}", file.display()));
        Ok(said)
    }

    fn is_this_machine(&self) -> bool {
        self.root == Path::new("/")
    }

    fn inside(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Puts the running program in its place; what runs is replaced by name, never written into.
    fn put_program(&self) -> anyhow::Result<String> {
        let (target, source) =
            (self.inside(PROGRAM), std::env::current_exe().context("Cannot find this program's own file")?);
        if target.canonicalize().is_ok_and(|there| there == source) {
            return Ok(format!("{} is this program", target.display()));
        }
        let failed = || format!("Cannot put the program to {}", target.display());
        let folder = target.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).with_context(failed)?;
        let part = target.with_added_extension("part");
        fs::copy(&source, &part).with_context(failed)?;
        fs::set_permissions(&part, Permissions::from_mode(0o755)).with_context(failed)?;
        fs::File::open(&part).and_then(|file| file.sync_all()).with_context(failed)?;
        fs::rename(&part, &target).with_context(failed)?;
        Ok(format!("Put the program to {}", target.display()))
    }

    fn make_user(&self) -> anyhow::Result<()> {
        if self.user()?.is_some() {
            return Ok(());
        }
        let line = format!("u {USER} - \"Qantara\" /var/lib/qantara");
        let mut command = Command::new("systemd-sysusers");
        if !self.is_this_machine() {
            command.arg(format!("--root={}", self.root.display()));
        }
        run(command.args(["--inline", &line])).with_context(|| {
            format!("Cannot make the user {USER}; make it by hand: useradd --system --home-dir /var/lib/qantara {USER}")
        })?;
        Ok(())
    }

    /// User and group, from the password file of the place.
    fn user(&self) -> anyhow::Result<Option<(u32, u32)>> {
        let file = self.inside("/etc/passwd");
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("Cannot read {}", file.display()))?,
        };
        let ids = |line: &str| {
            let mut fields = line.split(':');
            let is_it = fields.next() == Some(USER);
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            is_it.then_some((uid, gid))
        };
        Ok(text.lines().find_map(ids))
    }

    /// The data folder with all that init made in it.
    fn give_to_user(&self, folder: &Path) -> anyhow::Result<()> {
        let Some((uid, gid)) = self.user()? else {
            bail!("There is no user {USER} in {}", self.inside("/etc/passwd").display())
        };
        let mut waiting = vec![folder.to_owned()];
        while let Some(path) = waiting.pop() {
            let failed = || format!("Cannot give {} to {USER}", path.display());
            let about = fs::symlink_metadata(&path).with_context(failed)?;
            if about.is_symlink() {
                continue;
            }
            lchown(&path, Some(uid), Some(gid)).with_context(failed)?;
            if about.is_dir() {
                for entry in fs::read_dir(&path).with_context(failed)? {
                    waiting.push(entry.with_context(failed)?.path());
                }
            }
        }
        Ok(())
    }
}

/// The unit hands the master key over as a credential, which systemd does since this version.
const LEAST_SYSTEMD: u32 = 247;

fn demand_systemd() -> anyhow::Result<()> {
    if !Path::new("/run/systemd/system").is_dir() {
        bail!("systemd does not run here: use qantara init and qantara serve, or the container example of the README");
    }
    let told = Command::new("systemctl").arg("--version").output().context("Cannot run systemctl --version")?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let version = told.split_whitespace().nth(1).and_then(|word| word.split(['.', '-', '~']).next()?.parse().ok());
    if version.is_some_and(|version: u32| version < LEAST_SYSTEMD) {
        bail!(
            "systemd is of version {} here and the service needs {LEAST_SYSTEMD}: use a newer distribution, or qantara init \
             and a service manager of your own",
            version.unwrap_or_default()
        );
    }
    Ok(())
}

fn is_active() -> bool {
    Command::new("systemctl").args(["is-active", "--quiet", SERVICE]).status().is_ok_and(|status| status.success())
}

fn systemctl(arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("systemctl").args(arguments))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = format!("{command:?}").replace('"', "");
    let done = command.output().with_context(|| format!("Cannot run {name}"))?;
    if !done.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
