//! The register of agents.

use seatport::storage::{SessionCommit, Storage, StorageErrorKind};
use seatport::{Agent, Role, SessionRecord};

use crate::storage::Backend;
use crate::storage::sample::{adding, agent_id, commit, record, refused};

async fn put(storage: &dyn Storage, id: &str, name: &str, role: Role) -> Agent {
    let agent = Agent::new(id, name, role).expect("a valid agent");
    storage.put_agent(agent.clone()).await.unwrap();
    agent
}

pub(crate) async fn an_agent_is_added_and_replaced(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(storage.agent(&agent_id("mei")).await.unwrap(), None);
    let mei = put(&*storage, "mei", "Mei Lin 林", Role::Agent).await;
    assert_eq!(storage.agent(&mei.id).await.unwrap(), Some(mei));
    let mei = put(&*storage, "mei", "Mei", Role::Supervisor).await;
    assert_eq!(storage.agents().await.unwrap(), [mei]);
    assert_eq!(storage.agent(&agent_id("Mei")).await.unwrap(), None, "ids differ in letter case");
}

pub(crate) async fn agents_are_listed_by_id(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    // In the order of their bytes, not of some language.
    let sorted = ["10", "9", "A", "Z", "_", "a", "b", "é", "中", "😀"];
    for id in ["b", "é", "9", "😀", "Z", "10", "中", "a", "_", "A"] {
        put(&*storage, id, "name", Role::Agent).await;
    }
    let ids: Vec<_> = storage.agents().await.unwrap().into_iter().map(|agent| agent.id.as_str().to_owned()).collect();
    assert_eq!(ids, sorted);
}

pub(crate) async fn an_unknown_agent_cannot_be_removed(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(refused(storage.remove_agent(&agent_id("mei")).await), StorageErrorKind::NotFound);
    put(&*storage, "mei", "Mei", Role::Agent).await;
    storage.remove_agent(&agent_id("mei")).await.unwrap();
    assert_eq!(storage.agent(&agent_id("mei")).await.unwrap(), None);
    assert_eq!(refused(storage.remove_agent(&agent_id("mei")).await), StorageErrorKind::NotFound);
}

pub(crate) async fn a_bound_agent_stays(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mei = put(&*storage, "mei", "Mei", Role::Agent).await;
    let kai = put(&*storage, "kai", "Kai", Role::Agent).await;
    let bound = |number| SessionRecord { agent: Some(mei.id.clone()), ..record(number) };
    for number in [1, 2] {
        storage.commit(adding(bound(number))).await.unwrap();
    }
    for (number, left) in [(1, 2), (2, 1)] {
        let error = refused(storage.remove_agent(&mei.id).await);
        assert_eq!(error, StorageErrorKind::AgentBound { sessions: left });
        assert_eq!(storage.agents().await.unwrap(), [kai.clone(), mei.clone()]);
        storage.commit(SessionCommit { record: Some(record(number)), ..commit(number) }).await.unwrap();
    }
    storage.remove_agent(&mei.id).await.unwrap();
    assert_eq!(storage.agents().await.unwrap(), [kai]);
}

pub(crate) async fn agents_survive_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mei = put(&*storage, "mei", "Mei", Role::Supervisor).await;
    put(&*storage, "kai", "Kai", Role::Agent).await;
    storage.remove_agent(&agent_id("kai")).await.unwrap();
    drop(storage);
    assert_eq!(backend.open().await.agents().await.unwrap(), [mei]);
}
